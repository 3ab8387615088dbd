"""Composition root: the only place where adapters meet ports. ``python -m archive_service.main COMMAND``."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import procrastinate
import sqlalchemy as sa
import uvicorn
from minio import Minio

from archive_service import background
from archive_service.adapters.master_key import FileMasterKey
from archive_service.adapters.postgres.engine import make_engine
from archive_service.adapters.postgres.health import PostgresHealth
from archive_service.adapters.postgres.inventory import PostgresInventory
from archive_service.adapters.postgres.jobs import make_app
from archive_service.adapters.postgres.ledger import PostgresLedger
from archive_service.adapters.postgres.lines import Channel
from archive_service.adapters.postgres.logs import PostgresLogs, PostgresStamps
from archive_service.adapters.postgres.migrate import check_role, migrate
from archive_service.adapters.postgres.notifications import Notifications, NotifiedDeposits, NotifiedEntries
from archive_service.adapters.postgres.records import PostgresRecords
from archive_service.adapters.postgres.tenants import PostgresTenants
from archive_service.adapters.s3 import S3Store, connect
from archive_service.adapters.schematron import Schematron
from archive_service.adapters.staging import FolderStaging
from archive_service.adapters.store_probe import ProbeReport, StoreNotWorm, http_door, probe
from archive_service.adapters.tsa import HttpTsa
from archive_service.adapters.verapdf import VeraPdf
from archive_service.api.app import make_api
from archive_service.api.services import Services
from archive_service.model import SYSTEM_TENANT
from archive_service.pdf.guard import PdfReader
from archive_service.pipeline.evidence import EvidenceBuilder
from archive_service.pipeline.fsck import Fsck
from archive_service.pipeline.onboarding import Onboarding
from archive_service.pipeline.parts import Buckets, Parts
from archive_service.pipeline.sequencer import Sequencer
from archive_service.pipeline.stamps import Stamper
from archive_service.pipeline.vault import TenantKeys, Vault
from archive_service.settings import Settings
from signing.certificates import load_pem
from signing.keys import FileKey
from signing.timestamps import Timestamper


def now() -> datetime:
    """Return the time, in whole milliseconds: what is compared later is what is written now."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Composition:
    """Every adapter, made when first asked for, once per process."""

    settings: Settings

    @cached_property
    def engine(self) -> sa.Engine:
        """Connections as the application's role, which row-level security binds."""
        engine = make_engine(
            self.settings.database_url.get_secret_value(), pool_size=2 * self.settings.worker_concurrency + 8
        )
        check_role(engine)
        return engine

    @cached_property
    def queue(self) -> procrastinate.App:
        """The job queue."""
        return make_app(self.settings.database_url.get_secret_value())

    @cached_property
    def ledger(self) -> PostgresLedger:
        """Deposits and their steps."""
        return PostgresLedger(self.engine, self.queue)

    @cached_property
    def logs(self) -> PostgresLogs:
        """The rows of the logs."""
        return PostgresLogs(self.engine, now)

    @cached_property
    def stamps(self) -> PostgresStamps:
        """The rows of the stamps."""
        return PostgresStamps(self.engine, self.logs)

    @cached_property
    def s3(self) -> Minio:
        """The object store's client, with our keys."""
        return self._connect(anonymous=False)

    def _connect(self, *, anonymous: bool) -> Minio:
        settings = self.settings
        return connect(
            settings.s3_endpoint,
            access_key=None if anonymous else settings.s3_access_key,
            secret_key=None if anonymous else settings.s3_secret_key.get_secret_value(),
            region=settings.s3_region,
            connections=32,
        )

    @cached_property
    def store(self) -> S3Store:
        """The object store."""
        return S3Store(self.s3)

    @cached_property
    def buckets(self) -> Buckets:
        """The three buckets."""
        settings = self.settings
        return Buckets(
            records=settings.s3_records_bucket, keys=settings.s3_keys_bucket, edge=settings.s3_edge_bucket
        )

    @cached_property
    def master_key(self) -> FileMasterKey:
        """The key that wraps tenants' keys."""
        return FileMasterKey(self.settings.master_key)

    @cached_property
    def tenant_keys(self) -> TenantKeys:
        """Tenants' keys, unwrapped in memory."""
        return TenantKeys(self.master_key)

    @cached_property
    def vault(self) -> Vault:
        """What is locked, to be read back."""
        return Vault(ledger=self.ledger, store=self.store, tenant_keys=self.tenant_keys)

    @cached_property
    def staging(self) -> FolderStaging:
        """The folder of bytes on their way in."""
        return FolderStaging(self.settings.data / "staging")

    @cached_property
    def timestamper(self) -> Timestamper:
        """The TSAs, tried in order."""
        roots = load_pem(self.settings.trust_roots)
        return Timestamper(urls=self.settings.tsa_urls, transport=HttpTsa(), roots=roots)

    @cached_property
    def onboarding(self) -> Onboarding:
        """Makes tenants and keys."""
        return Onboarding(
            tenants=PostgresTenants(self.engine, now),
            store=self.store,
            buckets=self.buckets,
            master_key=self.master_key,
            log_origin=self.settings.log_origin,
            clock=now,
        )

    def notifications(self, *channels: Channel) -> Notifications:
        """Start to listen to the database."""
        listener = Notifications(self.settings.database_url.get_secret_value(), *channels)
        listener.start()
        return listener

    def parts(self) -> Parts:
        """Return everything that the pipeline's steps use; this starts the checkers' processes."""
        settings, slots = self.settings, self.settings.worker_concurrency
        deadline = settings.validation_deadline_seconds
        notifications = self.notifications(Channel.ENTRY_PUBLISHED)
        return Parts(
            ledger=self.ledger,
            store=self.store,
            buckets=self.buckets,
            staging=self.staging,
            tenant_keys=self.tenant_keys,
            pdf_reader=PdfReader(workers=min(slots, 2), deadline=deadline),
            pdfa=VeraPdf(settings.java, settings.verapdf_jar, workers=1, deadline=deadline),
            schematron=Schematron(workers=1, deadline=deadline),
            seal_key=FileKey.load(settings.seal_key, settings.seal_certificates),
            timestamper=self.timestamper,
            entries=NotifiedEntries(self.ledger, notifications),
            clock=now,
            random=secrets.token_bytes,
        )

    def probe_store(self) -> ProbeReport:
        """Attack a locked probe through every door. Raises StoreNotWorm: nothing may be archived there."""
        return probe(
            self.s3,
            anonymous=self._connect(anonymous=True),
            bucket=self.buckets.records,
            now=now(),
            doors=tuple((url, http_door(url)) for url in self.settings.s3_other_doors),
        )

    def probe_and_journal(self) -> None:
        """Probe the store and put the result into the system log. Raises StoreNotWorm."""
        try:
            report = self.probe_store()
        except StoreNotWorm as error:
            details = (("open_doors", ", ".join(error.report.open_doors)),)
            self.onboarding.enter_system("store:probe_failed", subject=SYSTEM_TENANT, details=details)
            raise
        self.onboarding.enter_system(
            "store:probed", subject=SYSTEM_TENANT, details=(("refused_attempts", len(report.attempts)),)
        )


def run_migrate(settings: Settings) -> None:
    """Bring the database to this version's schema, as its owner."""
    owner = settings.database_owner_url or settings.database_url
    migrate(owner.get_secret_value(), settings.database_url.get_secret_value())


def run_bootstrap(settings: Settings) -> None:
    """Make buckets and first tenant; print the first key, once."""
    made = Composition(settings)
    made.store.ensure_buckets(locked=(made.buckets.records,), plain=(made.buckets.keys, made.buckets.edge))
    made.onboarding.ensure_system_tenant()
    token = made.onboarding.ensure_default_tenant()
    if token is not None:
        sys.stdout.write(f'{{"token": "{token}"}}\n')


def run_api(settings: Settings) -> None:
    """Serve HTTP."""
    made = Composition(settings)
    listener = made.notifications(Channel.DEPOSIT_ENDED)
    services = Services(
        ledger=made.ledger,
        records=PostgresRecords(made.engine),
        tenants=made.onboarding.tenants,
        onboarding=made.onboarding,
        vault=made.vault,
        buckets=made.buckets,
        staging=made.staging,
        waiter=NotifiedDeposits(made.ledger, listener),
        evidence=EvidenceBuilder(
            vault=made.vault,
            buckets=made.buckets,
            stamps=made.stamps,
            roots=load_pem(settings.trust_roots),
        ),
        health=PostgresHealth(made.engine),
        clock=now,
        max_document_bytes=settings.max_document_bytes,
    )
    uvicorn.run(
        make_api(services),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=15,
    )


def run_worker(settings: Settings) -> None:
    """Take deposits through the pipeline, one job each."""
    made = Composition(settings)
    background.work(
        made.queue, made.parts(), concurrency=settings.worker_concurrency, staging=made.staging, clock=now
    )


def run_sequencer(settings: Settings) -> None:
    """Integrate entries, stamp checkpoints, and probe the store once a day."""
    made = Composition(settings)
    background.sequence(
        Sequencer(table=made.logs, store=made.store, buckets=made.buckets, master_key=made.master_key),
        Stamper(
            table=made.stamps,
            store=made.store,
            buckets=made.buckets,
            timestamper=made.timestamper,
            clock=now,
            interval=timedelta(seconds=settings.checkpoint_stamp_seconds),
        ),
        notifications=made.notifications(Channel.ENTRY_PENDING),
        probe=made.probe_and_journal,
    )


# The receipt's own entry is published within a second of the deposit's end, more on a busy machine.
FSCK_SETTLES = timedelta(seconds=10)


def run_fsck(settings: Settings) -> None:
    """Compare database, store and logs; one JSON line for each finding, and exit with 1 if there is any."""
    made = Composition(settings)
    checker = Fsck(inventory=PostgresInventory(made.engine), vault=made.vault, buckets=made.buckets)
    clean = True
    for item in checker.run(before=now() - FSCK_SETTLES):
        clean = False
        sys.stdout.write(json.dumps({"place": item.place, "problem": item.problem}) + "\n")
    if not clean:
        raise SystemExit(1)


COMMANDS: Mapping[str, Callable[[Settings], None]] = {
    "migrate": run_migrate,
    "bootstrap": run_bootstrap,
    "api": run_api,
    "worker": run_worker,
    "sequencer": run_sequencer,
    "fsck": run_fsck,
}


def main() -> int:
    """Run the command that the first argument names."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.stderr.write(f"usage: python -m archive_service.main {'|'.join(COMMANDS)}\n")
        return 2
    logging.basicConfig(
        level=logging.WARNING,
        format='{"at":"%(asctime)s","level":"%(levelname)s","from":"%(name)s"} %(message)s',
    )
    COMMANDS[sys.argv[1]](Settings.model_validate({}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
