package child

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// Enter shuts the process in and starts it again inside: what belongs to a thread (privileges,
// the file rules) becomes true of every thread only across an exec. It returns in the second
// life, with words about what holds, or with an error.
func Enter() (string, error) {
	if i := slices.IndexFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "--confined=") }); i > 0 {
		// exec makes a process dumpable again.
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return "", err
		}
		over := make(chan os.Signal, 1)
		signal.Notify(over, unix.SIGXCPU)
		go func() {
			<-over
			os.Exit(7)
		}()
		return strings.TrimPrefix(os.Args[i], "--confined="), nil
	}
	runtime.LockOSThread()
	words, err := confine()
	if err != nil {
		return "", err
	}
	args := append(slices.Clone(os.Args), "--confined="+strings.Join(words, ", "))
	return "", fmt.Errorf("exec: %w", syscall.Exec("/proc/self/exe", args, os.Environ()))
}

func confine() ([]string, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("no_new_privs: %w", err)
	}
	words := []string{"no new privileges"}
	for _, l := range []struct {
		what int
		max  uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, 48},
		{unix.RLIMIT_AS, 4 << 30},
		{unix.RLIMIT_DATA, 1 << 30},
		{unix.RLIMIT_CPU, 600}, // of a whole life; one request is bounded by the parent
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.max, Max: l.max}); err != nil {
			return nil, fmt.Errorf("limit %d: %w", l.what, err)
		}
	}
	words = append(words, "limits")
	if unix.Geteuid() == 0 {
		// A network namespace of its own has no interface that is up. Without root the parent
		// tries to give one.
		unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWIPC) //nolint:errcheck // looked at below
	}
	if alone() {
		words = append(words, "no network")
	}
	if err := restrictFiles(); err == nil {
		words = append(words, "system files only")
	}
	if unix.Geteuid() == 0 && othersMayRun() {
		// The raw calls: of this thread alone, which is the one that execs.
		for _, call := range []struct{ nr, a, b, c uintptr }{
			{unix.SYS_SETGROUPS, 0, 0, 0},
			{unix.SYS_SETRESGID, nobody, nobody, nobody},
			{unix.SYS_SETRESUID, nobody, nobody, nobody},
		} {
			if _, _, errno := syscall.RawSyscall(call.nr, call.a, call.b, call.c); errno != 0 {
				return nil, fmt.Errorf("become nobody: %w", errno)
			}
		}
		words = append(words, "nobody")
	}
	return words, nil
}

// alone reports whether this thread's network has no interface but its own loopback.
func alone() bool {
	b, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return false
	}
	for _, line := range strings.Split(string(b), "\n") {
		if name, _, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) != "lo" {
			return false
		}
	}
	return true
}

// othersMayRun reports whether nobody may exec this binary.
func othersMayRun() bool {
	info, err := os.Stat("/proc/self/exe")
	return err == nil && info.Mode().Perm()&0o005 == 0o005
}

// readable is all that the process may open: libraries, and the program itself.
var readable = []string{"/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives", "/proc/self/exe", "/dev/null", "/dev/urandom", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"}

// restrictFiles applies Landlock (Linux 5.13): nothing outside readable opens, nothing at all is
// written, and no TCP connection is made.
func restrictFiles() error {
	const (
		readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
		readTree = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
		every    = 1<<13 - 1 // the file rights of the first version
	)
	abi, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return errno
	}
	attr := [2]uint64{every, 0}
	size := uintptr(8)
	if abi >= 4 {
		attr[1], size = unix.LANDLOCK_ACCESS_NET_BIND_TCP|unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 16
	}
	set, _, errno := syscall.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(set))
	for _, path := range readable {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		rights := uint64(readFile)
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			rights = readTree
		}
		rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
		_, _, errno = syscall.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
		unix.Close(fd)
		if errno != 0 {
			return errno
		}
	}
	if _, _, errno = syscall.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
