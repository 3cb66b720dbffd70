// verify checks a transparency log that lies in a folder as C2SP's tlog-tiles says. It shares no line
// with kith: notes, hashes and proofs are those of golang.org/x/mod/sumdb, with which Go checks its
// database of checksums. What it finds is what somebody finds who never trusted kith.
//
// usage: verify [-vkey KEY]... [-keys FILE] [-quorum N] [-old CHECKPOINT]... FOLDER
//
// Every entry is hashed, every tile in the folder must be what the entries give, and proofs made from
// the tiles must hold. Prints one JSON line and ends with 0, or says what is wrong and ends with 1.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	entryLevel = -1 // x/mod's level of the bundles of entries.
)

// A log in a folder, and what its entries give.
type logFolder struct {
	path   string
	tree   tlog.Tree
	stored []tlog.Hash // In x/mod's order of hashes, made from the entries alone.
}

func (l *logFolder) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(l.stored)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

// x/mod names the height in a path and calls entries "data".
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if tile.L == entryLevel {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

func parseTilePath(path string) (tlog.Tile, error) {
	name := strings.TrimPrefix(path, "tile/")
	if strings.HasPrefix(name, "entries/") {
		name = "data" + strings.TrimPrefix(name, "entries")
	}
	tile, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, name))
	if err != nil || tilePath(tile) != path {
		return tlog.Tile{}, fmt.Errorf("%s is no name of a tile", path)
	}
	return tile, nil
}

// The number of hashes, or entries, that a level of tiles has in a tree of this size.
func hashesAt(level int, size int64) int64 {
	if level == entryLevel {
		return size
	}
	return size >> (tileHeight * uint(level))
}

// The tile, or bundle of entries, that a tree of this size has there.
func tileAt(level int, n, size int64) tlog.Tile {
	width := hashesAt(level, size) - n*tileWidth
	if width > tileWidth {
		width = tileWidth
	}
	return tlog.Tile{H: tileHeight, L: level, N: n, W: int(width)}
}

func (l *logFolder) readTile(tile tlog.Tile) ([]byte, error) {
	return os.ReadFile(filepath.Join(l.path, tilePath(tile)))
}

func (l *logFolder) readEntries(tile tlog.Tile) ([][]byte, error) {
	bundle, err := l.readTile(tile)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("%s: an entry is cut off", tilePath(tile))
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	if len(entries) != tile.W {
		return nil, fmt.Errorf("%s: %d entries, not %d", tilePath(tile), len(entries), tile.W)
	}
	return entries, nil
}

// Hashes all entries; their root must be the checkpoint's.
func (l *logFolder) hashEntries() error {
	for n := int64(0); n*tileWidth < l.tree.N; n++ {
		entries, err := l.readEntries(tileAt(entryLevel, n, l.tree.N))
		if err != nil {
			return err
		}
		for i, entry := range entries {
			hashes, err := tlog.StoredHashes(n*tileWidth+int64(i), entry, l)
			if err != nil {
				return err
			}
			l.stored = append(l.stored, hashes...)
		}
	}
	root, err := tlog.TreeHash(l.tree.N, l)
	if err != nil {
		return err
	}
	if root != l.tree.Hash {
		return fmt.Errorf("the entries give the root %v, the checkpoint says %v", root, l.tree.Hash)
	}
	return nil
}

// Compares one file under tile/ with what the entries give.
func (l *logFolder) compareTile(tile tlog.Tile) error {
	count := hashesAt(tile.L, l.tree.N)
	if tile.N > count/tileWidth || tile.N*tileWidth+int64(tile.W) > count {
		return fmt.Errorf("%s lies beyond the checkpoint", tilePath(tile))
	}
	if tile.L == entryLevel {
		entries, err := l.readEntries(tile)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			index := tlog.StoredHashIndex(0, tile.N*tileWidth+int64(i))
			if tlog.RecordHash(entry) != l.stored[index] {
				return fmt.Errorf("%s has another entry %d than the log", tilePath(tile), i)
			}
		}
		return nil
	}
	found, err := l.readTile(tile)
	if err != nil {
		return err
	}
	wanted, err := tlog.ReadTileData(tile, l)
	if err != nil {
		return err
	}
	if string(found) != string(wanted) {
		return fmt.Errorf("%s is not what the entries give", tilePath(tile))
	}
	return nil
}

// Compares all that lies under tile/, narrower tiles of earlier sizes too. Nothing may be missing.
func (l *logFolder) compareTiles() (int, error) {
	seen := make(map[tlog.Tile]bool)
	compare := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(l.path, path)
		if err != nil {
			return err
		}
		tile, err := parseTilePath(name)
		if err != nil {
			return err
		}
		seen[tile] = true
		return l.compareTile(tile)
	}
	if err := filepath.WalkDir(filepath.Join(l.path, "tile"), compare); err != nil {
		return 0, err
	}
	for level := entryLevel; hashesAt(level, l.tree.N) > 0; level++ {
		for n := int64(0); n*tileWidth < hashesAt(level, l.tree.N); n++ {
			if tile := tileAt(level, n, l.tree.N); !seen[tile] {
				return 0, fmt.Errorf("%s is missing", tilePath(tile))
			}
		}
	}
	return len(seen), nil
}

// Tiles as x/mod's prover wants them. It checks them against the checkpoint itself.
type tileFiles struct{ log *logFolder }

func (t tileFiles) Height() int                         { return tileHeight }
func (t tileFiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := t.log.readTile(tile)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// Entries whose inclusion is proved: all of a small log; of a larger one those at edges, and some.
func sample(size int64) []int64 {
	const all = 600
	const some = 50
	var indexes []int64
	for i := int64(0); i < size; i++ {
		atEdge := (i+1)%(tileWidth*tileWidth) < 2 || i == size-1
		if size <= all || atEdge || i%(size/some) == 0 {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func (l *logFolder) proveInclusion() (int, error) {
	tiles := tlog.TileHashReader(l.tree, tileFiles{l})
	indexes := sample(l.tree.N)
	for _, index := range indexes {
		proof, err := tlog.ProveRecord(l.tree.N, index, tiles)
		if err != nil {
			return 0, fmt.Errorf("no proof for entry %d: %v", index, err)
		}
		entries, err := l.readEntries(tileAt(entryLevel, index/tileWidth, l.tree.N))
		if err != nil {
			return 0, err
		}
		leaf := tlog.RecordHash(entries[index%tileWidth])
		if err := tlog.CheckRecord(proof, l.tree.N, l.tree.Hash, index, leaf); err != nil {
			return 0, fmt.Errorf("the proof for entry %d: %v", index, err)
		}
	}
	return len(indexes), nil
}

func (l *logFolder) proveConsistency(old tlog.Tree) error {
	if old.N > l.tree.N {
		return fmt.Errorf("the old checkpoint is of %d entries, this one of %d", old.N, l.tree.N)
	}
	proof, err := tlog.ProveTree(l.tree.N, old.N, tlog.TileHashReader(l.tree, tileFiles{l}))
	if err != nil {
		return fmt.Errorf("no proof of consistency with %d entries: %v", old.N, err)
	}
	if err := tlog.CheckTree(proof, l.tree.N, l.tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("not consistent with the old checkpoint of %d entries: %v", old.N, err)
	}
	return nil
}

type report struct {
	Log             string  `json:"log"`
	Size            int64   `json:"size"`
	Root            string  `json:"root"`
	Cosignatures    int     `json:"cosignatures"`
	Tiles           int     `json:"tiles"`
	InclusionProofs int     `json:"inclusion_proofs"`
	ConsistentWith  []int64 `json:"consistent_with"`
}

func verify(folder string, oldCheckpoints []string, trusted *keys) (*report, error) {
	found, err := trusted.openCheckpoint(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return nil, err
	}
	log := &logFolder{path: folder, tree: found.tree}
	if err := log.hashEntries(); err != nil {
		return nil, err
	}
	tiles, err := log.compareTiles()
	if err != nil {
		return nil, err
	}
	proofs, err := log.proveInclusion()
	if err != nil {
		return nil, err
	}
	result := &report{found.origin, found.tree.N, found.tree.Hash.String(), found.witnesses, tiles, proofs, []int64{}}
	for _, path := range oldCheckpoints {
		old, err := trusted.openCheckpoint(path)
		if err != nil {
			return nil, err
		}
		if old.origin != found.origin {
			return nil, fmt.Errorf("%s is of another log, %s", path, old.origin)
		}
		if err := log.proveConsistency(old.tree); err != nil {
			return nil, err
		}
		result.ConsistentWith = append(result.ConsistentWith, old.tree.N)
	}
	return result, nil
}

// An option that may be given more than once.
type texts []string

func (t *texts) String() string         { return strings.Join(*t, " ") }
func (t *texts) Set(value string) error { *t = append(*t, value); return nil }

func run() error {
	var vkeys, old texts
	flag.Var(&vkeys, "vkey", "a verifier `key` of the log or of a witness")
	flag.Var(&old, "old", "an older `checkpoint` of the same log, signed by as many")
	file := flag.String("keys", "", "a `file` whose lines \"vkey KEY\" are such keys, of other logs too")
	quorum := flag.Int("quorum", -1, "how many witnesses must have signed; by default all that are given")
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("name one folder of a log")
	}
	if *file != "" {
		lines, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(lines), "\n") {
			if strings.HasPrefix(line, "vkey ") {
				vkeys = append(vkeys, strings.TrimPrefix(line, "vkey "))
			}
		}
	}
	trusted, err := readKeys(vkeys, *quorum)
	if err != nil {
		return err
	}
	result, err := verify(flag.Arg(0), old, trusted)
	if err != nil {
		return err
	}
	line, err := json.Marshal(result)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}
