package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tiles reads the tiles of C2SP tlog-tiles, whose paths are those of Go's checksum database without the height.
type tiles struct{ folder string }

func (t tiles) Height() int                     { return tileHeight }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for i, tile := range wanted {
		bytes, err := os.ReadFile(filepath.Join(t.folder, t.path(tile)))
		if err != nil {
			return nil, err
		}
		read[i] = bytes
	}
	return read, nil
}

// readLog opens the checkpoint, then proves every leaf of the entry bundles against its root by the tiles.
func readLog(args []string) (any, error) {
	folder, vkey := args[0], args[1]
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	tree, err := parseCheckpoint(opened.Text, verifier.Name())
	if err != nil {
		return nil, err
	}
	reader := tlog.TileHashReader(tree, tiles{folder})
	leaves, err := readEntries(folder, tree.N)
	if err != nil {
		return nil, err
	}
	for index, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(leaf)); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", index, err)
		}
	}
	for size := int64(1); size <= tree.N; size += 1 + tree.N/16 {
		if err := proveTree(tree, size, reader, leaves); err != nil {
			return nil, err
		}
	}
	return map[string]any{"size": tree.N, "root": base64.StdEncoding.EncodeToString(tree.Hash[:]), "origin": verifier.Name()}, nil
}

func parseCheckpoint(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 || lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is not of %s", origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// readEntries reads the bundles below tile/entries: a big-endian uint16 length before each leaf.
func readEntries(folder string, size int64) ([][]byte, error) {
	var leaves [][]byte
	for first := int64(0); first < size; first += tileWidth {
		path := strings.Replace(tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: width(size - first)}.Path(), "tile/8/data/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for len(bundle) > 0 {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s is cut short", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, bundle[2:end])
			bundle = bundle[end:]
		}
	}
	if int64(len(leaves)) != size {
		return nil, fmt.Errorf("%d leaves in the bundles of a tree of %d", len(leaves), size)
	}
	return leaves, nil
}

func width(left int64) int {
	if left > tileWidth {
		return tileWidth
	}
	return int(left)
}

// proveTree computes the root of an older tree from its leaves alone, and proves that the signed tree continues it.
func proveTree(tree tlog.Tree, size int64, reader tlog.HashReader, leaves [][]byte) error {
	var stored []tlog.Hash
	own := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for index := int64(0); index < size; index++ {
		hashes, err := tlog.StoredHashes(index, leaves[index], own)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(size, own)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, size, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, size, root)
}
