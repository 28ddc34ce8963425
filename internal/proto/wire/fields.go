package wire

// The kind, the number of descriptors and the fields of each message, in the order of
// the kinds. The order of the fields is the format.

func (*Login) Kind() Kind { return KindLogin }
func (*Login) FDs() int   { return 0 }
func (m *Login) fields(c *codec) {
	if !c.version(&m.Version) {
		return
	}
	c.flag(&m.Terminal)
	c.flag(&m.HasCommand)
	c.bytes(&m.UserFile, MaxUserFile)
	c.shortStr(&m.UserErr, MaxUserErr)
	c.bytes(&m.AuthInfo, MaxAuthInfo)
	c.bytes(&m.Words, MaxWords)
	c.flag(&m.Cut)
	c.flag(&m.X11)
}

func (*Progress) Kind() Kind        { return KindProgress }
func (*Progress) FDs() int          { return 0 }
func (m *Progress) fields(c *codec) { c.str(&m.Text) }

func (*Ready) Kind() Kind { return KindReady }
func (*Ready) FDs() int   { return 1 }
func (m *Ready) fields(c *codec) {
	c.str(&m.Shell)
	c.str(&m.Fallback)
	c.str(&m.Cwd)
	c.list(&m.Accept)
	c.list(&m.Notice)
	c.str(&m.Container)
	c.flag(&m.SSHAgent)
	c.flag(&m.X11)
}

func (*HostShell) Kind() Kind        { return KindHostShell }
func (*HostShell) FDs() int          { return 0 }
func (m *HostShell) fields(c *codec) { c.str(&m.Shell) }

func (*Error) Kind() Kind { return KindError }
func (*Error) FDs() int   { return 0 }
func (m *Error) fields(c *codec) {
	c.u8(&m.Code)
	c.str(&m.Text)
	c.str(&m.Hint)
}

func (*Why) Kind() Kind    { return KindWhy }
func (*Why) FDs() int      { return 0 }
func (*Why) fields(*codec) {}

func (*Reason) Kind() Kind        { return KindReason }
func (*Reason) FDs() int          { return 0 }
func (m *Reason) fields(c *codec) { c.str(&m.Text) }

func (*Hello) Kind() Kind        { return KindHello }
func (*Hello) FDs() int          { return 0 }
func (m *Hello) fields(c *codec) { c.u16(&m.Version) }

func (*Serve) Kind() Kind { return KindServe }
func (*Serve) FDs() int   { return 1 }
func (m *Serve) fields(c *codec) {
	c.str(&m.User)
	c.str(&m.Home)
}

func (*Start) Kind() Kind { return KindStart }

// FDs of a Start: a session with a terminal has all three from its pty.
func (m *Start) FDs() int {
	if m.Terminal {
		return 0
	}
	return 3
}

func (m *Start) fields(c *codec) {
	c.flag(&m.Terminal)
	c.u16(&m.Rows)
	c.u16(&m.Cols)
	c.bytes(&m.Termios, maxTermios)
	c.str(&m.Path)
	c.list(&m.Argv)
	c.list(&m.Env)
	c.str(&m.Cwd)
	c.inherited(&m.Inherited)
	if m.Inherited != nil { // all, or none
		c.flag(&m.SSHAgent)
		c.str(&m.Display)
		c.bytes(&m.Cookies, MaxCookies)
		c.str(&m.Fallback)
	}
}

func (*Started) Kind() Kind { return KindStarted }

// FDs of a Started: the master of the pty, the pipe and the socket for the ssh agent, if any.
func (m *Started) FDs() int { return count(m.Terminal, m.Piped, m.SSHAgent) }

func (m *Started) fields(c *codec) {
	c.flag(&m.Terminal)
	c.str(&m.Notice)
	c.lastFlags([]*bool{&m.SSHAgent, &m.X11}, []*bool{&m.Piped})
}

func (*Signal) Kind() Kind        { return KindSignal }
func (*Signal) FDs() int          { return 0 }
func (m *Signal) fields(c *codec) { c.u8(&m.Number) }

func (*Exit) Kind() Kind { return KindExit }
func (*Exit) FDs() int   { return 0 }
func (m *Exit) fields(c *codec) {
	c.u32(&m.Status)
	c.flag(&m.OutOfMemory)
}

func (*Count) Kind() Kind    { return KindCount }
func (*Count) FDs() int      { return 0 }
func (*Count) fields(*codec) {}

func (*Processes) Kind() Kind        { return KindProcesses }
func (*Processes) FDs() int          { return 0 }
func (m *Processes) fields(c *codec) { c.u32(&m.Others) }

func (*Bridge) Kind() Kind { return KindBridge }

// FDs of a Bridge: the socket of the agent and the recording, if any.
func (m *Bridge) FDs() int { return count(m.Agent, m.Record) }

// count returns how many of them are there.
func count(there ...bool) (n int) {
	for _, is := range there {
		if is {
			n++
		}
	}
	return n
}

func (m *Bridge) fields(c *codec) {
	c.str(&m.Engine)
	c.str(&m.TLS)
	c.str(&m.Container)
	c.u32(&m.UID)
	c.u32(&m.GID)
	c.str(&m.User)
	c.str(&m.Home)
	c.flag(&m.Agent)
	c.flag(&m.Record)
	c.str(&m.Title)
	c.str(&m.Name)
	c.str(&m.Host)
	c.str(&m.Session)
}

func (*Ended) Kind() Kind        { return KindEnded }
func (*Ended) FDs() int          { return 0 }
func (m *Ended) fields(c *codec) { c.u32(&m.Status) }

func (*Join) Kind() Kind { return KindJoin }
func (*Join) FDs() int   { return 0 }
func (m *Join) fields(c *codec) {
	if !c.version(&m.Version) {
		return
	}
	c.shortStr(&m.User, MaxUser)
	c.bytes(&m.AuthInfo, MaxAuthInfo)
}

func (*Joined) Kind() Kind { return KindJoined }

// FDs of a Joined: the namespace, if there is one.
func (m *Joined) FDs() int {
	if m.Outcome == JoinNamespace {
		return 1
	}
	return 0
}

func (m *Joined) fields(c *codec) {
	c.u8(&m.Outcome)
	if m.Outcome >= numOutcomes {
		c.bad = true
	}
	c.shortStr(&m.Reason, MaxReason)
}

func (*ReadFile) Kind() Kind        { return KindReadFile }
func (*ReadFile) FDs() int          { return 0 }
func (m *ReadFile) fields(c *codec) { c.str(&m.Dir) }

func (*UserFile) Kind() Kind { return KindUserFile }
func (*UserFile) FDs() int   { return 0 }
func (m *UserFile) fields(c *codec) {
	c.bytes(&m.UserFile, MaxUserFile)
	c.shortStr(&m.UserErr, MaxUserErr)
}

func (*ReadCounters) Kind() Kind        { return KindReadCounters }
func (*ReadCounters) FDs() int          { return 0 }
func (m *ReadCounters) fields(c *codec) { c.version(&m.Version) }

func (*Counters) Kind() Kind { return KindCounters }
func (*Counters) FDs() int   { return 0 }
func (m *Counters) fields(c *codec) {
	c.u64(&m.Since)
	c.u64(&m.Started)
	c.u64(&m.HostShells)
	c.u64(&m.Abandoned)
	c.numbers(&m.Refused)
	c.numbers(&m.Warm)
	c.u64(&m.WarmTime)
	c.numbers(&m.Cold)
	c.u64(&m.ColdTime)
	c.u64(&m.EngineCalls)
	c.u64(&m.EngineFails)
	c.u32(&m.Slots)
	c.u32(&m.SlotsInUse)
	c.u32(&m.Queue)
}
