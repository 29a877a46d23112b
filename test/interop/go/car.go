package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/ipfs/go-unixfsnode"
	"github.com/ipfs/go-unixfsnode/file"
	"github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"
	dagpb "github.com/ipld/go-codec-dagpb"
	"github.com/ipld/go-ipld-prime"
	_ "github.com/ipld/go-ipld-prime/codec/raw"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
)

// readCar reads the file below the only root of a CAR, as any IPFS tool would, and writes its bytes. Blocks that are not what
// their CID says are refused.
func readCar(args []string) (any, error) {
	input, err := os.Open(args[0])
	if err != nil {
		return nil, err
	}
	defer input.Close()
	blocks, err := countBlocks(input)
	if err != nil {
		return nil, err
	}
	readable, err := storage.OpenReadable(input)
	if err != nil {
		return nil, err
	}
	links := cidlink.DefaultLinkSystem()
	links.SetReadStorage(readable)
	unixfsnode.AddUnixFSReificationToLinkSystem(&links)
	root := readable.Roots()[0]
	var prototype ipld.NodePrototype = dagpb.Type.PBNode
	if root.Prefix().Codec == 0x55 {
		prototype = basicnode.Prototype.Bytes
	}
	node, err := links.Load(ipld.LinkContext{Ctx: context.Background()}, cidlink.Link{Cid: root}, prototype)
	if err != nil {
		return nil, err
	}
	content, err := file.NewUnixFSFile(context.Background(), node, &links)
	if err != nil {
		return nil, err
	}
	stream, err := content.AsLargeBytes()
	if err != nil {
		return nil, err
	}
	output, err := os.Create(args[1])
	if err != nil {
		return nil, err
	}
	defer output.Close()
	hash := sha256.New()
	length, err := io.Copy(io.MultiWriter(output, hash), stream)
	if err != nil {
		return nil, err
	}
	return map[string]any{"root": root.String(), "blocks": blocks, "bytes": length, "sha256": hex.EncodeToString(hash.Sum(nil))}, nil
}

// countBlocks goes through the whole file; the reader holds each block against its CID.
func countBlocks(input io.ReadSeeker) (int, error) {
	reader, err := car.NewBlockReader(input)
	if err != nil {
		return 0, err
	}
	blocks := 0
	for ; ; blocks++ {
		_, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	_, err = input.Seek(0, io.SeekStart)
	return blocks, err
}
