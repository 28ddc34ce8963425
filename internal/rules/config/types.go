package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseBool reads what gcfg reads as a Boolean and gives "true" or "false".
func parseBool(s string) (string, *problem) {
	switch lower(s) {
	case "true", "yes", "on", "1":
		return "true", nil
	case "false", "no", "off", "0":
		return "false", nil
	}
	return "", &problem{0, quote(s) + " is neither true nor false", "write true, yes, on or 1, or false, no, off or 0"}
}

func parseInt(s string) (string, *problem) {
	n, err := strconv.Atoi(s)
	if errors.Is(err, strconv.ErrRange) {
		return "", &problem{0, quote(s) + " is too large", ""}
	}
	if err != nil {
		return "", &problem{0, quote(s) + " is not a whole number", ""}
	}
	return strconv.Itoa(n), nil
}

func parseDuration(s string) (string, *problem) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return "", &problem{0, quote(s) + " is not a duration", "write a number with its unit, such as 90s, 15m or 1h30m"}
	}
	if d < 0 {
		return "", &problem{0, "a duration may not be negative", ""}
	}
	return d.String(), nil
}

func checkNotNegative(s string) *problem {
	if strings.HasPrefix(s, "-") {
		return &problem{0, "the number may not be negative", "0 is no limit"}
	}
	return nil
}

// checkMemory is the engine's own size syntax.
func checkMemory(s string) *problem {
	num := s
	if s != "" && strings.ContainsRune("bkmgBKMG", rune(s[len(s)-1])) {
		num = s[:len(s)-1]
	}
	if f, ok := decimal(num); !ok || f <= 0 {
		return &problem{0, quote(s) + " is not a size", "write bytes or a number with b, k, m or g, such as 512m"}
	}
	return nil
}

// checkCPUs takes what the engine can count: billionths of a processor.
func checkCPUs(s string) *problem {
	_, frac, _ := strings.Cut(s, ".")
	if f, ok := decimal(s); !ok || f <= 0 || len(frac) > 9 {
		return &problem{0, quote(s) + " is not a positive decimal number", "write a number of processors, such as 1.5"}
	}
	return nil
}

// decimal reads digits with at most one point among them; not 1e9, not Inf.
func decimal(s string) (float64, bool) {
	whole, frac, point := strings.Cut(s, ".")
	if !digits(whole) || point && !digits(frac) || len(s) > 30 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func checkOnChange(s string) *problem { return oneOf(s, "keep", "recreate") }

func checkPull(s string) *problem { return oneOf(s, "missing", "always", "never") }

func oneOf(s string, words ...string) *problem {
	for _, w := range words {
		if s == w {
			return nil
		}
	}
	list := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	return &problem{0, fmt.Sprintf("%s is not %s", quote(s), list), didYouMean(lower(s), words, "")}
}
