package proc

import "strconv"

// The device numbers of terminals (devices.txt of the kernel).
const (
	majorConsole = 4
	majorPTS     = 136
	firstSerial  = 64
)

// Terminal returns the name below /dev of the terminal in Stat.TTY, as ps(1) does. It is
// empty for none, and for other devices.
func Terminal(tty uint32) string {
	major, minor := tty>>8&0xfff, tty&0xff|tty>>12&0xfff00
	switch {
	case major == majorPTS:
		return "pts/" + strconv.FormatUint(uint64(minor), 10)
	case major == majorConsole && minor < firstSerial:
		return "tty" + strconv.FormatUint(uint64(minor), 10)
	case major == majorConsole:
		return "ttyS" + strconv.FormatUint(uint64(minor-firstSerial), 10)
	}
	return ""
}
