// Reads what a Nectar node writes with other people's libraries only: the audit log with golang.org/x/mod's sumdb packages, CAR files
// with the IPFS project's, blobs with Tink. One JSON line on stdout says what was read; anything that does not verify ends it with 1.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: interop log FOLDER VKEY | car FILE OUTPUT | blob KEYSET FILE ASSOCIATED-DATA-HEX OUTPUT"))
	}
	commands := map[string]func([]string) (any, error){"log": readLog, "car": readCar, "blob": openBlob}
	command, ok := commands[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
	found, err := command(os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
