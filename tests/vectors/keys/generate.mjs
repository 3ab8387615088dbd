// Computes vectors.json with Node.js's own crypto (OpenSSL), from the text of ADR 0001 and ADR 0006 alone:
// nothing of archive_service is involved. Run: node generate.mjs > vectors.json
import { createCipheriv, scryptSync } from "node:crypto";

const bytes = (from, count) => Buffer.from(Array.from({ length: count }, (_, i) => (from + i) & 0xff));
const ascii = (text) => Buffer.from(text, "ascii");

function aesGcm(key, nonce, associated, plain) {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

const record = "00112233-4455-6677-8899-aabbccddeeff";
const hex = (value) => value.toString("hex");

const envelopes = ["original", "sealed", "verdict", "record.json", "receipt"].map((role, i) => {
  const key = bytes(0x10 + i, 32);
  const nonce = bytes(0xa0 + i, 12);
  const plain = Buffer.from(`plain bytes of ${role}, é`, "utf8").subarray(0, i === 4 ? 0 : undefined);
  const associated = ascii(`archive-envelope/v1\n${role}\n${record}`);
  const envelope = Buffer.concat([ascii("archive-envelope/v1\n"), nonce, aesGcm(key, nonce, associated, plain)]);
  return { role, record_id: record, key: hex(key), nonce: hex(nonce), plain: hex(plain), envelope: hex(envelope) };
});

const roles = ["original", "receipt", "record.json", "sealed", "verdict"]; // in the order of RFC 8785
const members = roles.map((role, i) => ({ role, nonce: hex(bytes(0x20 + 12 * i, 12)), salt: hex(bytes(0x40 + 3 * i, 32)) }));
const dataKey = hex(bytes(0x80, 32));
const secretsPlain =
  `{"data_key":"${dataKey}","format":"archive-record-secrets/v1","nonces":{` +
  members.map((m) => `"${m.role}":"${m.nonce}"`).join(",") + `},"salts":{` +
  members.map((m) => `"${m.role}":"${m.salt}"`).join(",") + `}}`;
const tenantKey = bytes(0x01, 32);
const wrapNonce = bytes(0x55, 12);
const recordSecrets = {
  record_id: record,
  tenant_key: hex(tenantKey),
  nonce: hex(wrapNonce),
  plain: secretsPlain,
  wrapped: hex(Buffer.concat([
    ascii("archive-record-secrets/v1\n"), wrapNonce,
    aesGcm(tenantKey, wrapNonce, ascii(`archive-record-secrets/v1\n${record}`), ascii(secretsPlain)),
  ])),
};

const masterKey = bytes(0xc0, 32);
const context = ascii(`archive-tenant-key/v1\n${record}`);
const keyNonce = bytes(0x77, 12);
const wrappedKey = {
  master_key: hex(masterKey),
  tenant_id: record,
  secret: hex(tenantKey),
  nonce: hex(keyNonce),
  wrapped: hex(Buffer.concat([
    ascii("archive-wrapped-key/v1\n"), keyNonce,
    aesGcm(masterKey, keyNonce, Buffer.concat([ascii("archive-wrapped-key/v1\n"), context]), tenantKey),
  ])),
};

const passphrase = "Un été à Besançon, 1987"; // typed composed or decomposed, it is the same
const salt = bytes(0x30, 16);
const backupNonce = bytes(0x66, 12);
const derived = scryptSync(Buffer.from(passphrase.normalize("NFC"), "utf8"), salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 });
const body = Buffer.concat([
  backupNonce,
  aesGcm(derived, backupNonce, Buffer.concat([ascii("archive-master-key-backup/v1\n"), salt]), masterKey),
]);
const backup = {
  passphrase, salt: hex(salt), nonce: hex(backupNonce), master_key: hex(masterKey),
  text: `{"cipher": "AES-256-GCM", "ciphertext": "${hex(body)}", "format": "archive-master-key-backup/v1", ` +
    `"kdf": "scrypt", "n": 131072, "p": 1, "r": 8, "salt": "${hex(salt)}"}\n`,
};

process.stdout.write(JSON.stringify({ envelopes, record_secrets: recordSecrets, wrapped_key: wrappedKey, backup }, null, 2) + "\n");
