// Package pam tests what the PAM module (pam/) understands of the broker's answers: against the
// protocol's own decoder, with the sanitizers of the compiler.
package pam
