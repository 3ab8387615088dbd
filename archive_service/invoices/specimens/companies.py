"""The invented companies of the specimens, with invented banks."""

from __future__ import annotations

from decimal import Decimal

from archive_service.invoices.specimens.trade import Company, Product


def _siren(start: int) -> str:
    """Return a SIREN that begins with 000 and ends with its check digit (Luhn; C. com. R123-220)."""
    head = f"{start:08d}"
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(head))
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return head + str(-total % 10)


def _siret(siren: str) -> str:
    """Return the SIRET of the first establishment, 0001 and a check digit over all fourteen."""
    head = siren + "0001"
    doubled = (int(digit) * (1 if place % 2 else 2) for place, digit in enumerate(reversed(head)))
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return head + str(-total % 10)


def _vat_id(siren: str) -> str:
    """Return the French VAT number: two key digits, then the SIREN (CGI ann. IV, 41 T; BOI-TVA-DECLA-20)."""
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _iban(country: str, account: str) -> str:
    """Return an IBAN with its check digits (ISO 13616, mod 97)."""
    text = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(text) % 97:02d}{account}"


def _french_iban(account: int) -> str:
    """Return an IBAN at bank 00000, branch 00000, with its RIB key (97 less 3 × account mod 97)."""
    return _iban("FR", f"{0:010d}{account:011d}{97 - 3 * account % 97:02d}")


def _products(rows: str) -> tuple[Product, ...]:
    products = []
    for row in rows.strip().splitlines():
        reference, name, unit, label, price, rate = (part.strip() for part in row.split("|"))
        products.append(
            Product(
                reference=reference,
                name=name,
                unit=unit,
                label=label,
                price=Decimal(price),
                rate=Decimal(rate),
            )
        )
    return tuple(products)


_FRENCH_BIC = "SPECFRPPXXX"  # no bank's, as far as we know

_MOULIN = _siren(10_021)
_ATELIER = _siren(20_045)
_NUAGE = _siren(30_087)

SELLERS = {
    "FR": (
        Company(
            name="Moulin des Trois Rivières",
            tagline="Farines, huiles et épicerie fine depuis 1987",
            street="14 chemin de l’Écluse",
            postcode="84340",
            city="Malaucène",
            siren=_MOULIN,
            siret=_siret(_MOULIN),
            vat_id=_vat_id(_MOULIN),
            contact="Élise Garnier",
            phone="+33 4 99 00 12 34",
            email="facturation@moulin-trois-rivieres.example",
            legal="SAS au capital de 48 000 € – RCS Avignon",
            iban=_french_iban(12_345_678),
            bic=_FRENCH_BIC,
            colour=(0.16, 0.37, 0.29),
            catalogue=_products("""
                FAR-T65-25 | Farine de blé T65 biologique, sac de 25 kg | C62 | sac | 28.90 | 5.5
                HUI-OLV-5L | Huile d’olive vierge extra, bidon de 5 L | C62 | bidon | 46.50 | 5.5
                NOU-ABB-250 | Nougat tendre de l’abbaye, 250 g | C62 | pièce | 4.10 | 20
                MIE-LAV-1K | Miel de lavande de Provence, pot de 1 kg | C62 | pot | 13.75 | 5.5
                BIS-RAI-300 | Biscuits aux raisins et aux noix, 300 g | C62 | boîte | 3.20 | 5.5
                TER-CHE-180 | Terrine de chevreuil aux cèpes, 180 g | C62 | bocal | 5.85 | 5.5
                CHO-NOI-100 | Chocolat noir 72 %, tablette de 100 g | C62 | pièce | 2.95 | 20
                LIV-POI-1 | Livraison en véhicule réfrigéré | C62 | trajet | 39.00 | 20
            """),
        ),
        Company(
            name="Atelier Castel & Fils",
            tagline="Menuiserie, agencement, restauration du patrimoine",
            street="3 impasse des Tonneliers",
            postcode="33800",
            city="Bordeaux",
            siren=_ATELIER,
            siret=_siret(_ATELIER),
            vat_id=_vat_id(_ATELIER),
            contact="Bruno Castel",
            phone="+33 5 99 00 45 67",
            email="compta@atelier-castel.example",
            legal="SARL au capital de 15 000 € – RCS Bordeaux",
            iban=_french_iban(98_765_432),
            bic=_FRENCH_BIC,
            colour=(0.48, 0.23, 0.14),
            catalogue=_products("""
                MO-ATE | Main-d’œuvre en atelier, compagnon menuisier | HUR | heure | 52.00 | 20
                MO-CHA | Main-d’œuvre sur chantier, deux compagnons | HUR | heure | 96.00 | 10
                CHE-MAS-27 | Chêne massif avivé, épaisseur 27 mm | MTK | m² | 118.40 | 20
                FEN-REN-2V | Fenêtre à deux vantaux, rénovation thermique | C62 | pièce | 684.00 | 5.5
                VER-MAT-5L | Vernis mat aqueux, bidon de 5 L | C62 | bidon | 74.30 | 20
                QUI-LAI-01 | Quincaillerie en laiton, lot | C62 | lot | 36.90 | 20
                DEP-ZON-1 | Déplacement, zone 1 | C62 | trajet | 45.00 | 10
            """),
        ),
        Company(
            name="Nuage Lumen Services",
            tagline="Infogérance, hébergement et sécurité",
            street="27 quai des Chartreux",
            postcode="59800",
            city="Lille",
            siren=_NUAGE,
            siret=_siret(_NUAGE),
            vat_id=_vat_id(_NUAGE),
            contact="Samira Belkacem",
            phone="+33 3 99 00 78 90",
            email="factures@nuage-lumen.example",
            legal="SAS au capital de 120 000 € – RCS Lille Métropole",
            iban=_french_iban(11_223_344),
            bic=_FRENCH_BIC,
            colour=(0.11, 0.24, 0.47),
            catalogue=_products("""
                HEB-DED-L | Serveur dédié L, hébergement en France | MON | mois | 189.00 | 20
                SAV-S3-1T | Sauvegarde immuable, par To | MON | mois | 24.50 | 20
                SUP-247 | Astreinte 24 h/24, 7 j/7 | MON | mois | 420.00 | 20
                ING-SEC | Ingénierie sécurité, consultant senior | DAY | jour | 860.00 | 20
                FOR-EIDAS | Formation « signature électronique et eIDAS » | DAY | jour | 1150.00 | 20
                LIC-SGBD | Support PostgreSQL, par instance | MON | mois | 75.00 | 20
            """),
        ),
    ),
    "DE": (
        Company(
            name="Werkzeugbau Lindenau GmbH",
            tagline="Outillage de précision",
            street="Gießereistraße 41",
            postcode="04229",
            city="Leipzig",
            country="DE",
            vat_id="DE000000013",
            contact="Jörg Häußler",
            phone="+49 341 000 1234",
            email="rechnung@lindenau-werkzeugbau.example",
            legal="Amtsgericht Leipzig, HRB 00000",
            iban=_iban("DE", "000000000012345678"),
            bic="SPECDEFFXXX",
            colour=(0.24, 0.26, 0.30),
            catalogue=_products("""
                FR-12-HM | Fraise carbure Ø 12 mm, quatre dents | C62 | pièce | 38.60 | 20
                SP-ER32 | Porte-pinces ER32, attachement HSK-A63 | C62 | pièce | 214.00 | 20
                PL-CNMG | Plaquettes CNMG 120408, boîte de dix | C62 | boîte | 71.90 | 20
                KSS-200 | Lubrifiant de coupe, fût de 200 L | C62 | fût | 496.00 | 20
            """),
        ),
    ),
    "BE": (
        Company(
            name="Brasserie du Vieux Canal SRL",
            tagline="Bières artisanales de Wallonie",
            street="Rue du Bief 8",
            postcode="7000",
            city="Mons",
            country="BE",
            vat_id="BE0000000097",
            contact="Anouk Delvaux",
            phone="+32 65 00 12 34",
            email="facturation@vieuxcanal.example",
            legal="RPM Mons",
            iban=_iban("BE", "000000000097"),
            bic="SPECBEBBXXX",
            colour=(0.52, 0.33, 0.05),
            catalogue=_products("""
                BLO-33-24 | Bière blonde 33 cl, casier de 24 | C62 | casier | 31.20 | 20
                TRI-75-06 | Triple 75 cl, carton de 6 | C62 | carton | 29.40 | 20
                VER-25-12 | Verres de dégustation 25 cl, boîte de 12 | C62 | boîte | 22.00 | 20
            """),
        ),
    ),
}


def _buyer(
    start: int, *, name: str, street: str, postcode: str, city: str, contact: str, phone: str, email: str
) -> Company:
    siren = _siren(start)
    return Company(
        name=name,
        street=street,
        postcode=postcode,
        city=city,
        contact=contact,
        phone=phone,
        email=email,
        siren=siren,
        siret=_siret(siren),
        vat_id=_vat_id(siren),
    )


BUYERS = (
    _buyer(
        40_112,
        name="Les Halles du Faubourg",
        street="35 rue de la République",
        postcode="69002",
        city="Lyon",
        contact="Alexandre Payet",
        phone="+33 4 99 00 07 08",
        email="achats@halles-faubourg.example",
    ),
    _buyer(
        40_237,
        name="Hôtel de la Corniche",
        street="118 boulevard du Littoral",
        postcode="13007",
        city="Marseille",
        contact="Inès Moreau",
        phone="+33 4 99 00 21 22",
        email="comptabilite@hotel-corniche.example",
    ),
    _buyer(
        40_358,
        name="Coopérative Océane",
        street="2 allée des Goélands",
        postcode="56100",
        city="Lorient",
        contact="Yann Le Goff",
        phone="+33 2 99 00 33 44",
        email="fournisseurs@cooperative-oceane.example",
    ),
    _buyer(
        40_461,
        name="Clinique Sainte-Aurore",
        street="9 avenue du Parc",
        postcode="67000",
        city="Strasbourg",
        contact="Hélène Schmitt",
        phone="+33 3 99 00 55 66",
        email="factures@clinique-sainte-aurore.example",
    ),
)
