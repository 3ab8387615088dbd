package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"strings"
)

// The archive's own formats, written from their definitions with nothing of its code. For texts without
// control characters, U+2028 and U+2029, encoding/json with sorted keys gives the canonical form of RFC 8785.
type formats struct {
	Salt        string   `json:"salt"`
	Digest      string   `json:"digest"`
	Commitments []string `json:"commitments"` // of the fields "original" and "record.json"
	Entry       string   `json:"entry"`
	Bare        string   `json:"entry_without_objects"`
	First       string   `json:"first_statement"`
	Next        string   `json:"next_statement"`
	Archived    string   `json:"archived_receipt"`
	Rejected    string   `json:"rejected_receipt"`
	Members     []member `json:"bundle_members"`
	Manifest    string   `json:"bundle_manifest"`
	Zip         string   `json:"bundle_zip_base64"`
}

type member struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type object = map[string]any

func canonical(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func commitment(field, salt, sum string) string {
	s, d := must(hex.DecodeString(salt)), must(hex.DecodeString(sum))
	return digest("archive-commitment/v1\n" + field + "\n" + string(s) + string(d))
}

const (
	depositID = "6f1c1f6e-9a0b-4c55-8f33-0d8f6d1b2a01"
	recordID  = "0d3a64de-52cf-4bbb-8a55-2f6d9e1f7a02"
)

func makeFormats(vkey string, checkpoint []byte, inclusion string) formats {
	f := formats{Salt: digest("a salt"), Digest: digest("a document")}
	f.Commitments = []string{
		commitment("original", f.Salt, f.Digest), commitment("record.json", f.Salt, f.Digest),
	}
	entry := object{
		"format":   "archive-entry/v1",
		"entry_id": "2f9a6c1e-1f65-4b0b-9f8f-3a44f1f0c003",
		"at":       "2026-11-24T04:03:42.123Z",
		"action":   "deposit:archived",
		"subject":  recordID,
		"agent":    "9f86d081884c7d659a2feaa0c55ad015",
		"objects": []object{
			{"role": "original", "sha256": digest("stored original"), "size": 150_017, "version_id": "v-1"},
			{"role": "record.json", "sha256": digest("stored record"), "size": 2_011, "version_id": "v-2"},
		},
		"commitments": object{"original": f.Commitments[0], "record.json": f.Commitments[1]},
		"details":     object{"revision": 2, "late": false, "note": "gardé"},
	}
	f.Entry = canonical(entry)
	entry["objects"], entry["commitments"], entry["details"] = []object{}, object{}, object{}
	entry["action"] = "service:started"
	f.Bare = canonical(entry)

	const statement = "archive-checkpoint-statement/v1\nprevious "
	f.First = statement + "none\n\n" + string(checkpoint)
	f.Next = statement + digest("a token") + "\n\n" + string(checkpoint)

	receipt := object{
		"format":          "archive-receipt/v1",
		"receipt_id":      "7c0a3f51-1f6c-5d2e-9a57-1de0a1b2c304",
		"outcome":         "archived",
		"deposit_id":      depositID,
		"record_id":       recordID,
		"tenant":          "acme",
		"received_at":     "2026-11-24T04:03:41.000Z",
		"issued_at":       "2026-11-24T04:03:43.456Z",
		"original_sha256": digest("original"),
		"original_size":   150_000,
		"verdict_sha256":  digest("verdict"),
		"sealed_sha256":   digest("sealed"),
		"seal_level":      "PAdES B-T",
		"not_qualified":   []string{"seal key", "time-stamping authority"},
		"record_sha256":   digest("record"),
		"retain_until":    "2036-12-31T23:00:00.000Z",
		"problem":         nil,
		"log_origin":      strings.SplitN(vkey, "+", 2)[0],
		"log_vkey":        vkey,
		"entry_sha256":    digest("entry 300"),
		"entry_index":     300,
		"inclusion":       inclusion,
	}
	f.Archived = canonical(receipt)
	for _, name := range []string{"record_id", "sealed_sha256", "seal_level", "record_sha256"} {
		receipt[name] = nil
	}
	receipt["outcome"], receipt["problem"] = "rejected", "not-pdfa"
	receipt["not_qualified"] = []string{}
	f.Rejected = canonical(receipt)
	f.makeBundle(vkey)
	return f
}

// makeBundle writes the zip of a rejected deposit's bundle. Only its form is looked at: the members say nothing.
func (f *formats) makeBundle(vkey string) {
	f.Members = []member{
		{"CHECK.html", "<!doctype html>\n"},
		{"verdict.json", "{}"},
		{"receipt.jws", "e30.e30.AA"},
		{"salts.json", canonical(object{
			"format": "archive-salts/v1", "salts": object{"original": f.Salt, "verdict": f.Salt}})},
		{"entry.json", f.Bare},
		{"entry.tlog-proof", "c2sp.org/tlog-proof@v1\nindex 0\n\n"},
		{"log.vkey", vkey + "\n"},
		{"checkpoint-statement.txt", f.First},
		{"checkpoint-statement.tst", "token"},
		{"certificates/seal.pem", "seal"},
		{"certificates/tsa.pem", "tsa"},
		{"certificates/roots.pem", "roots"},
	}
	listed := object{}
	for _, m := range f.Members {
		listed[m.Name] = object{"sha256": digest(m.Text), "size": len(m.Text)}
	}
	f.Manifest = canonical(object{
		"format":     "archive-evidence-bundle/v1",
		"outcome":    "rejected",
		"deposit_id": depositID,
		"members":    listed,
		"tokens": []object{{
			"token": "checkpoint-statement.tst", "covers": "checkpoint-statement.txt", "imprint": "sha256",
		}},
	})
	// manifest.json is the second member, after the page for people.
	all := append([]member{f.Members[0], {"manifest.json", f.Manifest}}, f.Members[1:]...)
	var out bytes.Buffer
	writer := zip.NewWriter(&out)
	for _, m := range all {
		raw := must(writer.CreateRaw(&zip.FileHeader{
			Name:               m.Name,
			CreatorVersion:     3<<8 | 20, // Unix, 2.0
			ReaderVersion:      20,
			Method:             zip.Store,
			ModifiedDate:       1<<5 | 1, // 1980-01-01
			CRC32:              crc32.ChecksumIEEE([]byte(m.Text)),
			CompressedSize64:   uint64(len(m.Text)),
			UncompressedSize64: uint64(len(m.Text)),
			ExternalAttrs:      0o100644 << 16,
		}))
		must(raw.Write([]byte(m.Text)))
	}
	if err := writer.Close(); err != nil {
		panic(err)
	}
	f.Zip = base64.StdEncoding.EncodeToString(out.Bytes())
}
