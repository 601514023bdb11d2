package decode

import (
	"os"
	"syscall"
)

// attributes are the ways to start a child, the strictest first. Root needs no user namespace,
// and the child gives itself the rest; without root a user namespace is what lets it have a
// network of its own that leads nowhere, and where the system forbids that it goes without.
func attributes() []*syscall.SysProcAttr {
	plain := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		return []*syscall.SysProcAttr{plain}
	}
	return []*syscall.SysProcAttr{{
		Setpgid:     true,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}},
	}, plain}
}

// killAll ends the child and what it started.
func killAll(p *os.Process) {
	if syscall.Kill(-p.Pid, syscall.SIGKILL) != nil {
		p.Kill()
	}
}

// yield has the child's threads give way to everybody else's.
func yield(p *os.Process) { _ = syscall.Setpriority(syscall.PRIO_PGRP, p.Pid, 10) }
