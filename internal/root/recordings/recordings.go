// Package recordings keeps the files of recorded terminals: it makes them, knows which of a
// directory's files they are, and removes the oldest where they take more space than the settings
// allow. What is in them is written by bridges (package bridge).
package recordings
