// Package e2e holds the end-to-end tests: a real ssh client, a real sshd, a
// real engine. A test runs twice, for a user whose shell is /bin/bash and for
// a user whose shell is dockersh, and both must agree unless it says why not.
//
// The tests want root and the build tag e2e. They run apart from the machine
// (scripts/apart): accounts, daemons and files they make are gone afterwards.
//
//	make e2e
//	go test -tags e2e -run TestExit ./test/e2e
package e2e
