// Command generate prints vectors for the archive's log, made by implementations that are not ours:
// golang.org/x/mod/sumdb/tlog (tree, proofs, tiles), golang.org/x/mod/sumdb/note (signed notes) and
// github.com/transparency-dev/formats (checkpoints, tlog-proof). The archive's own formats are written a second
// time in formats.go, from their definitions (ADR 0002 to 0005). Run: go run . > ../vectors.json
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Entry i is the text "entry i", i in decimal: the reader of the vectors makes them itself.
func entry(i int64) []byte { return fmt.Appendf(nil, "entry %d", i) }

type root struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type consistency struct {
	Old   int64    `json:"old_size"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type tile struct {
	Size   int64  `json:"size"`
	Path   string `json:"path"`
	Sha256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

type signed struct {
	Text string `json:"text"`
	Note string `json:"note"`
}

type output struct {
	Provenance   []string      `json:"provenance"`
	Roots        []root        `json:"roots"`
	Inclusions   []inclusion   `json:"inclusions"`
	Consistency  []consistency `json:"consistency"`
	Tiles        []tile        `json:"tiles"`
	Seed         string        `json:"seed"`
	Vkey         string        `json:"vkey"`
	OtherVkey    string        `json:"other_vkey"`
	Notes        []signed      `json:"notes"`
	TwoSigned    signed        `json:"two_signatures"`
	Checkpoint   signed        `json:"checkpoint"`
	TlogProof    string        `json:"tlog_proof"`
	TlogProofExt string        `json:"tlog_proof_with_extra"`
	Formats      formats       `json:"formats"`
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func hexes(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func skey(name string, seed []byte) (string, string) {
	// note.GenerateKey draws from a reader: this one gives the seed.
	s, v, err := note.GenerateKey(strings.NewReader(string(seed)), name)
	if err != nil {
		panic(err)
	}
	return s, v
}

func main() {
	const most = 70_000
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i := int64(0); i < most; i++ {
		stored = append(stored, must(tlog.StoredHashes(i, entry(i), read))...)
	}
	out := output{Provenance: []string{
		"golang.org/x/mod v0.42.0 sumdb/tlog, sumdb/note",
		"github.com/transparency-dev/formats v0.1.1 log, proof",
	}}
	for _, n := range []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1000, 65536, most} {
		h := must(tlog.TreeHash(n, read))
		out.Roots = append(out.Roots, root{n, hex.EncodeToString(h[:])})
	}
	pairs := [][2]int64{{0, 1}, {0, 2}, {1, 2}, {2, 3}, {4, 7}, {6, 7}, {0, 8}, {254, 255}, {255, 256}, {256, 257},
		{0, 257}, {300, 1000}, {999, 1000}, {65535, 65536}, {0, most}, {65535, most}, {65536, most}, {69999, most}}
	for _, p := range pairs {
		out.Inclusions = append(out.Inclusions,
			inclusion{p[0], p[1], hexes(must(tlog.ProveRecord(p[1], p[0], read)))})
	}
	olds := [][2]int64{{1, 1}, {1, 2}, {2, 3}, {3, 7}, {4, 7}, {6, 7}, {4, 8}, {6, 8}, {7, 8}, {255, 256}, {256, 257},
		{256, 512}, {257, 513}, {300, 1000}, {512, 1000}, {65536, most}, {65535, most}, {69999, most}}
	for _, p := range olds {
		out.Consistency = append(out.Consistency,
			consistency{p[0], p[1], hexes(must(tlog.ProveTree(p[1], p[0], read)))})
	}
	for _, n := range []int64{1, 5, 256, 257, 513, most} {
		for _, t := range tlog.NewTiles(8, 0, n) {
			data := must(tlog.ReadTileData(t, read))
			// Go's path names the height; tlog-tiles, where the height is always 8, leaves it out.
			path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
			if n == most && t.W == 256 && t.L == 0 && t.N%100 != 0 {
				continue
			}
			sum := sha256.Sum256(data)
			out.Tiles = append(out.Tiles, tile{n, path, hex.EncodeToString(sum[:]), len(data)})
		}
	}

	seed := sha256.Sum256([]byte("archive vectors: log key"))
	otherSeed := sha256.Sum256([]byte("archive vectors: witness key"))
	const origin = "archive.example/logs/vectors"
	private, public := skey(origin, seed[:])
	otherPrivate, otherPublic := skey("witness.example", otherSeed[:])
	signer, other := must(note.NewSigner(private)), must(note.NewSigner(otherPrivate))
	out.Seed, out.Vkey, out.OtherVkey = hex.EncodeToString(seed[:]), public, otherPublic
	for _, text := range []string{"one line\n", "gardé dix ans\n\navec une ligne vide\n", "\n"} {
		out.Notes = append(out.Notes, signed{text, string(must(note.Sign(&note.Note{Text: text}, signer)))})
	}
	text := "signed twice\n"
	out.TwoSigned = signed{text, string(must(note.Sign(&note.Note{Text: text}, other, signer)))}

	h := must(tlog.TreeHash(1000, read))
	body := string(log.Checkpoint{Origin: origin, Size: 1000, Hash: h[:]}.Marshal())
	checkpoint := must(note.Sign(&note.Note{Text: body}, signer))
	out.Checkpoint = signed{body, string(checkpoint)}
	var hashes [][sha256.Size]byte
	for _, one := range must(tlog.ProveRecord(1000, 300, read)) {
		hashes = append(hashes, one)
	}
	p := proof.TLogProof{Index: 300, Hashes: hashes, Checkpoint: checkpoint}
	out.TlogProof = string(p.Marshal())
	p.ExtraData = []byte("extra")
	out.TlogProofExt = string(p.Marshal())

	out.Formats = makeFormats(public, checkpoint, out.TlogProof)

	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
}
