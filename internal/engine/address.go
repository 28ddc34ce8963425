package engine

import "strings"

// Address says where an engine listens.
type Address struct {
	Host string // the path of a socket; tcp://HOST:PORT; ssh://[USER@]HOST[:PORT]
	TLS  string // for tcp: the directory of ca.pem, cert.pem and key.pem
}

// Local tells whether the engine is on this host.
func (a Address) Local() bool { return strings.HasPrefix(a.Host, "/") }
