// Package front tests the login shell (front/) as a program: the tests play the broker and
// the agent that it speaks to, the user at its terminal, and the sshd that starts it.
package front
