// Check_log verifies a log's folder with Go's own transparency log packages (golang.org/x/mod/sumdb), which share no code with ours:
// the signed note, every entry against the tree, and that the tree continues each of the older ones named.
//
//	check_log FOLDER VKEY [SIZE ROOT]...
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

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(folder, vkey string, older []string) error {
	tree, err := head(folder, vkey)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, files(folder))
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("root: %v", err)
	}
	for n := int64(0); n < tree.N; n += 256 {
		if err := bundle(folder, tree, hashes, n); err != nil {
			return err
		}
	}
	for ; len(older) >= 2; older = older[2:] {
		if err := continues(tree, hashes, older[0], older[1]); err != nil {
			return err
		}
	}
	fmt.Println(tree.N)
	return nil
}

func head(folder, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	content, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("origin %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func bundle(folder string, tree tlog.Tree, hashes tlog.HashReader, first int64) error {
	tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: width(tree.N - first)}
	content, err := os.ReadFile(filepath.Join(folder, strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)))
	if err != nil {
		return err
	}
	for n := first; n < first+int64(tile.W); n++ {
		if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
			return fmt.Errorf("entry %d is cut", n)
		}
		end := 2 + int(binary.BigEndian.Uint16(content))
		leaf := tlog.RecordHash(content[2:end])
		content = content[end:]
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d: %v", n, err)
		}
	}
	if len(content) != 0 {
		return fmt.Errorf("bytes after entry %d", first+int64(tile.W)-1)
	}
	return nil
}

func continues(tree tlog.Tree, hashes tlog.HashReader, size, root string) error {
	older, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return err
	}
	hash, err := base64.StdEncoding.DecodeString(root)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, older, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older, *(*tlog.Hash)(hash)); err != nil {
		return fmt.Errorf("size %d: %v", older, err)
	}
	return nil
}

// files reads tiles of height 8 below a folder.
type files string

func (files) Height() int                       { return 8 }
func (files) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(filepath.Join(string(folder), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
}

func width(left int64) int {
	if left > 256 {
		return 256
	}
	return int(left)
}
