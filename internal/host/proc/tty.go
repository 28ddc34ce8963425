package proc

import "strconv"

// Numbers of terminals (the kernel's devices.txt).
const (
	majorConsole = 4
	majorPTS     = 136
	firstSerial  = 64
)

// Terminal names a terminal as ps(1) does, below /dev, from the number in Stat.TTY;
// empty for none and for what is not known here.
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
