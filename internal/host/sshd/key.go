package sshd

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// ErrNoKey is a login for which sshd provided no key.
var ErrNoKey = errors.New("sshd provided no key")

// Key returns the fingerprint of the key of a login. info is what sshd writes with
// ExposeAuthInfo (sshd_config(5)): a line for each method, such as
// "publickey ssh-ed25519 AAAA...". The first key counts. The fingerprint is that of
// `ssh-keygen -l` in the letters of URLs: - and _ for + and /. For a certificate it is that
// of the key in it, which outlives the certificate. The error is ErrNoKey.
func Key(info string) (string, error) {
	for line := range strings.Lines(info) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "publickey" {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(f[2])
		if err != nil {
			return "", ErrNoKey
		}
		if blob, err = plain(blob, f[1]); err != nil {
			return "", err
		}
		sum := sha256.Sum256(blob)
		return base64.RawURLEncoding.EncodeToString(sum[:]), nil
	}
	return "", ErrNoKey
}

// certOf is the end of the name of a kind of certificate (PROTOCOL.certkeys of OpenSSH).
const certOf = "-cert-v01@openssh.com"

// parts returns how many fields a key of this kind has; 0 for an unknown kind.
func parts(kind string) int {
	switch kind {
	case "ssh-ed25519":
		return 1
	case "ssh-rsa", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		return 2
	case "sk-ecdsa-sha2-nistp256@openssh.com":
		return 3
	}
	return 0
}

// plain returns the key of a certificate: its kind, and the fields that follow the nonce.
// It returns anything else as it is.
func plain(blob []byte, kind string) ([]byte, error) {
	name, rest, ok := field(blob)
	if !ok || string(name) != kind {
		return nil, ErrNoKey
	}
	base, isCert := strings.CutSuffix(kind, certOf)
	if !isCert {
		return blob, nil
	}
	if strings.HasPrefix(base, "sk-") {
		base += "@openssh.com"
	}
	n := parts(base)
	_, rest, ok = field(rest) // the nonce
	out := binary.BigEndian.AppendUint32(nil, uint32(len(base)))
	out = append(out, base...)
	for range n {
		if !ok {
			break
		}
		var f []byte
		f, rest, ok = field(rest)
		out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
		out = append(out, f...)
	}
	if !ok || n == 0 {
		return nil, ErrNoKey
	}
	return out, nil
}

// field reads a string of the SSH protocol (RFC 4251, 5).
func field(b []byte) (f, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}
