package agentlensexporter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// metadataTrueID is the metadata key that keeps a session id which the backend
// would not take as it is.
const metadataTrueID = "agentlens.session.id"

// Prefixes of ids that are not what the agent called its session.
const (
	prefixEscaped = "enc:"
	prefixHashed  = "sha256:"
)

// wireID returns the id under which the backend knows a session: the id itself
// where the backend takes it, else the id with each byte the backend does not
// take, and each colon, as a colon and two hex digits, else, where that is too
// long, its SHA-256. The true id goes along in the session's metadata.
func wireID(id string) string {
	if wire.ValidID(id) && !strings.HasPrefix(id, prefixEscaped) && !strings.HasPrefix(id, prefixHashed) {
		return id
	}
	var b strings.Builder
	b.WriteString(prefixEscaped)
	for i := range len(id) {
		c := id[i]
		if c != ':' && wire.ValidID(string(rune(c))) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, ":%02x", c)
		}
	}
	if b.Len() <= wire.MaxIDChars {
		return b.String()
	}
	sum := sha256.Sum256([]byte(id))
	return prefixHashed + hex.EncodeToString(sum[:])
}
