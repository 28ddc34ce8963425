// Package kubernetes tests containers that are pods of a cluster: etcd, a real API server, and a node
// that runs processes (test/kubernetes/cluster). `make test-kubernetes` runs it.
package kubernetes
