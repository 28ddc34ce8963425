package config

// Parse reads the administrator's file. The error is of type Errors and tells
// everything that is wrong at once.
func Parse(file string, src []byte) (*File, error) { return nil, nil }

// ParseUser reads a ~/.dockersh.
func ParseUser(file string, src []byte) (*File, error) { return nil, nil }

// Effective merges.
func (f *File) Effective(user string, member func(group string) bool, userFile *File) (*Settings, error) {
	return nil, nil
}

// Hash is stable.
func (s *Settings) Hash() string { return "" }

// Vars are what %-sequences stand for.
type Vars struct {
	User, Home, Shell string
	UID, GID          uint32
}

// Expand replaces every %-sequence.
func (s *Settings) Expand(v Vars) (*Settings, error) { return nil, nil }

type problem struct {
	at         int
	text, hint string
}

func checkImage(string) *problem         { return nil }
func checkContainerName(string) *problem { return nil }
func checkPath(string) *problem          { return nil }
func checkUserName(string) *problem      { return nil }
func checkProgram(string) *problem       { return nil }
func checkSocket(string) *problem        { return nil }
func checkEntrypoint(string) *problem    { return nil }
func checkDockerOpt(string) *problem     { return nil }
func checkForward(string) *problem       { return nil }
func checkOnChange(string) *problem      { return nil }
func checkPull(string) *problem          { return nil }
func checkMemory(string) *problem        { return nil }
func checkCPUs(string) *problem          { return nil }
func checkNotNegative(string) *problem   { return nil }
func checkEnv(string) *problem           { return nil }
func checkVolume(string) *problem        { return nil }
func checkWord(string) *problem          { return nil }
func checkHostname(string) *problem      { return nil }
func checkCapability(string) *problem    { return nil }
func checkEnvPattern(string) *problem    { return nil }
func plainSocket(s string) string        { return s }
func plainCapability(s string) string    { return s }
