package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
)

// openBlob decrypts a blob with a Tink keyset (JSON) and the associated data.
func openBlob(args []string) (any, error) {
	keys, err := os.Open(args[0])
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(keys))
	if err != nil {
		return nil, err
	}
	primitive, err := streamingaead.New(handle)
	if err != nil {
		return nil, err
	}
	sealed, err := os.Open(args[1])
	if err != nil {
		return nil, err
	}
	defer sealed.Close()
	associated, err := hex.DecodeString(args[2])
	if err != nil {
		return nil, err
	}
	plain, err := primitive.NewDecryptingReader(sealed, associated)
	if err != nil {
		return nil, err
	}
	output, err := os.Create(args[3])
	if err != nil {
		return nil, err
	}
	defer output.Close()
	hash := sha256.New()
	length, err := io.Copy(io.MultiWriter(output, hash), plain)
	if err != nil {
		return nil, err
	}
	return map[string]any{"bytes": length, "sha256": hex.EncodeToString(hash.Sum(nil))}, nil
}
