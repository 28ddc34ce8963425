package idmap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// ErrCannot is a directory that this kernel or its file system cannot mount with other
// owners.
var ErrCannot = errors.New("its owners cannot be mapped")

// Mount mounts the directory from at at, with everything that is mounted below it. On disk
// a file belongs to an id Inside of the ranges; through the mount it belongs to the id
// Outside. Files of other ids belong to nobody there, and cannot be created or given away.
// Both paths are looked up in the mount namespace of process 1, which the engine sees.
func Mount(from, at string, users, groups Ranges) error {
	ns, err := namespace(users, groups)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCannot, err)
	}
	defer ns.Close()
	return onHost(func() error {
		tree, err := unix.OpenTree(unix.AT_FDCWD, from, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return fmt.Errorf("open_tree %s: %w", from, cannot(err))
		}
		defer unix.Close(tree)
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return fmt.Errorf("mount_setattr %s: %w", from, cannot(err))
		}
		if err := unix.MoveMount(tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("move_mount %s: %w", at, err)
		}
		return nil
	})
}

// cannot adds ErrCannot to errors that stay: those of a kernel before 5.12, of a file
// system without the feature, of a mount that is mapped already.
func cannot(err error) error {
	for _, forGood := range []error{unix.ENOSYS, unix.EINVAL, unix.EPERM, unix.EOPNOTSUPP} {
		if errors.Is(err, forGood) {
			return fmt.Errorf("%w: %w", ErrCannot, err)
		}
	}
	return err
}

// Unmount unmounts everything that is mounted at at. Mounts that others made of it stay.
func Unmount(at string) error {
	return onHost(func() error {
		for {
			switch err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); {
			case err == nil:
			case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT): // nothing is mounted there
				return nil
			default:
				return fmt.Errorf("unmount %s: %w", at, err)
			}
		}
	})
}

// onHost runs f in the mount namespace of process 1. The service may have one of its own
// (systemd.exec(5), ProtectSystem), whose mounts nobody else sees.
func onHost(f func() error) (err error) {
	sys.InOwnThread(func() {
		if err = enterHost(); err == nil {
			err = f()
		}
	})
	return err
}

// enterHost moves this thread into the mount namespace of process 1.
func enterHost() error {
	host, err := os.Open("/proc/1/ns/mnt")
	if err != nil {
		return err
	}
	defer host.Close()
	if same, err := sameFile(host, "/proc/thread-self/ns/mnt"); same || err != nil {
		return err
	}
	// A thread that shares its working directory cannot change its namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	return os.NewSyscallError("setns", unix.Setns(int(host.Fd()), unix.CLONE_NEWNS))
}

// namespace makes a user namespace with these maps. That takes a process which starts in
// it: one that stops before its first instruction and is killed.
func namespace(users, groups Ranges) (*os.File, error) {
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"none"}, &syscall.ProcAttr{
		Env: []string{},
		Sys: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER, UidMappings: users.sys(), GidMappings: groups.sys(),
			Ptrace: true, Pdeathsig: syscall.SIGKILL,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making a user namespace: %w", err)
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", pid))
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		var st unix.WaitStatus
		if _, werr := unix.Wait4(pid, &st, 0, nil); errors.Is(werr, unix.EINTR) || werr == nil && st.Stopped() {
			continue
		}
		return ns, err
	}
}

func (r Ranges) sys() []syscall.SysProcIDMap {
	var out []syscall.SysProcIDMap
	for _, one := range r {
		out = append(out, syscall.SysProcIDMap{ContainerID: int(one.Inside), HostID: int(one.Outside), Size: int(one.Count)})
	}
	return out
}
