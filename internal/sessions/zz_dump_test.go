package sessions

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

func TestZZDump(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	for _, name := range captureNames(t) {
		w := made(readCapture(t, name))
		b, _ := json.Marshal(w)
		fmt.Printf("%-40s %s\n", name, b)
	}
}
