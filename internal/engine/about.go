package engine

// About is what an engine says of itself. What it does not say is empty.
type About struct {
	Name, Version  string // "Docker"
	Oldest         string // version that dockersh works with
	Runc           string // version of runc, when that is what starts containers
	Seccomp        bool   // system calls of containers are filtered
	UserNamespaces bool   // root in a container is not root on the host
	OpenAddress    string // where it listens without asking for a certificate
}
