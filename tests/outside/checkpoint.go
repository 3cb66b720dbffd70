package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kinds of keys that a signed note knows.
const (
	ed25519Key     = 0x01
	cosignatureKey = 0x04
)

// The keys that are believed.
type keys struct {
	logs      map[string]note.Verifier // By name, which is the log's origin.
	witnesses []note.Verifier
	quorum    int
}

// Go ignores the last character's spare bits, and line ends; then one key or signature has many forms.
func strictBase64(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodeToString(data) != text {
		return nil, errors.New("base64 that could be written otherwise")
	}
	return data, nil
}

// A witness's key, which x/mod does not know. The kind is part of what its id is the hash of, so the
// same key as a log's has another id.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }
func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	if time > math.MaxInt64 {
		return false
	}
	said := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(c.key, []byte(said), signature[8:])
}

func readKeys(vkeys []string, quorum int) (*keys, error) {
	trusted := &keys{logs: make(map[string]note.Verifier)}
	for _, vkey := range vkeys {
		parts := strings.SplitN(vkey, "+", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q is no verifier key", vkey)
		}
		key, err := strictBase64(parts[2])
		if err != nil || len(key) != 1+ed25519.PublicKeySize {
			return nil, fmt.Errorf("%q is no verifier key", vkey)
		}
		switch key[0] {
		case ed25519Key:
			verifier, err := note.NewVerifier(vkey)
			if err != nil {
				return nil, fmt.Errorf("%q: %v", vkey, err)
			}
			if trusted.logs[parts[0]] != nil {
				return nil, fmt.Errorf("two keys of the log %s", parts[0])
			}
			trusted.logs[parts[0]] = verifier
		case cosignatureKey:
			sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
			id := binary.BigEndian.Uint32(sum[:])
			if parts[1] != fmt.Sprintf("%08x", id) {
				return nil, fmt.Errorf("%q: its id is %08x", vkey, id)
			}
			trusted.witnesses = append(trusted.witnesses, &cosigner{parts[0], id, key[1:]})
		default:
			return nil, fmt.Errorf("%q: a kind of key that is not known here", vkey)
		}
	}
	trusted.quorum = quorum
	if quorum < 0 {
		trusted.quorum = len(trusted.witnesses)
	}
	return trusted, nil
}

// A checkpoint whose signatures hold.
type checkpoint struct {
	origin    string
	tree      tlog.Tree
	witnesses int
}

// x/mod knows only the checkpoints of Go's own log.
func parseCheckpoint(text string) (*checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return nil, errors.New("a checkpoint has three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("%q is no size", lines[1])
	}
	if size == 0 {
		return nil, errors.New("this verifier knows no empty log, as its library gives no root for one")
	}
	root, err := strictBase64(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return nil, fmt.Errorf("%q is no root", lines[2])
	}
	found := &checkpoint{origin: lines[0], tree: tlog.Tree{N: size}}
	copy(found.tree.Hash[:], root)
	return found, nil
}

// x/mod looks at the first line of a key only, and does not mind how it is written.
func checkLines(lines string, known func(name string, id uint32) bool) error {
	seen := make(map[string]bool)
	for _, line := range strings.SplitAfter(lines, "\n") {
		if line == "" {
			continue
		}
		parts := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(parts) != 3 || parts[0] != "—" || !strings.HasSuffix(line, "\n") {
			return fmt.Errorf("%q is no line of a signature", line)
		}
		signature, err := strictBase64(parts[2])
		if err != nil {
			return fmt.Errorf("%q: %v", line, err)
		}
		if len(signature) <= 4 {
			return fmt.Errorf("%q is no line of a signature", line)
		}
		id := binary.BigEndian.Uint32(signature)
		if !known(parts[1], id) {
			continue
		}
		pair := fmt.Sprintf("%s+%08x", parts[1], id)
		if seen[pair] {
			return fmt.Errorf("a second line of %s", pair)
		}
		seen[pair] = true
	}
	return nil
}

// Reads a checkpoint that the log and enough witnesses signed. The log's name stands in it: which
// log that is, whoever calls this has to compare.
func (k *keys) openCheckpoint(path string) (*checkpoint, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, err := k.open(string(bytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %v", path, err)
	}
	return found, nil
}

func (k *keys) open(signed string) (*checkpoint, error) {
	end := strings.LastIndex(signed, "\n\n")
	if end < 0 {
		return nil, errors.New("it is not signed")
	}
	found, err := parseCheckpoint(signed[:end+1])
	if err != nil {
		return nil, err
	}
	log := k.logs[found.origin]
	if log == nil {
		return nil, fmt.Errorf("no key was given of %q", found.origin)
	}
	verifiers := note.VerifierList(append([]note.Verifier{log}, k.witnesses...)...)
	err = checkLines(signed[end+2:], func(name string, id uint32) bool {
		_, err := verifiers.Verifier(name, id)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	opened, err := note.Open([]byte(signed), verifiers)
	if err != nil {
		return nil, err
	}
	if opened.Text != signed[:end+1] {
		return nil, errors.New("it is split otherwise")
	}
	isSigned := false
	names := make(map[string]bool)
	for _, line := range opened.Sigs {
		if line.Name == log.Name() && line.Hash == log.KeyHash() {
			isSigned = true
		} else {
			names[line.Name] = true
		}
	}
	if !isSigned {
		return nil, errors.New("the log did not sign it")
	}
	found.witnesses = len(names)
	if found.witnesses < k.quorum {
		return nil, fmt.Errorf("%d witnesses signed it, not %d", found.witnesses, k.quorum)
	}
	return found, nil
}
