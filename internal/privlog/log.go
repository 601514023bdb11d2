package privlog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/privlog/receipt"
	"candor/internal/sqldb"
)

// Kinds of leaves.
const (
	Erasure = "erasure"
	Consent = "consent"
)

const (
	keyFile   = "key"
	tilesDir  = "tiles"
	batch     = 256
	batchAge  = 200 * time.Millisecond
	published = time.Second // at the latest after an entry
	look      = 10 * time.Second
)

// Log is the log. Fill the exported fields, then Start.
type Log struct {
	DB     *sqldb.DB
	Dir    string
	Tenant id.Tenant
	Clock  clock.Clock
	Log    *slog.Logger
	Client *http.Client // for the library, which takes one; a log in a folder needs nobody, so it should reach nobody

	key     string // as verifiers know it
	name    string // of this log, in rows
	append  *tessera.Appender
	reader  tessera.LogReader
	shut    func(context.Context) error
	wake    wake
	stop    context.CancelFunc // of entering
	end     context.CancelFunc // of the library
	done    chan struct{}
	once    sync.Once
	entered sync.Mutex
}

var quiet sync.Once

// Start opens the log, or begins it, and enters what waits.
func (l *Log) Start(ctx context.Context) error {
	quiet.Do(func() { klog.SetSlogLogger(slog.New(slog.DiscardHandler)) }) // the library's own words; what matters comes as an error
	if l.Client == nil {
		return errors.New("open the privacy log: the library would dial by itself")
	}
	signer, err := l.signer()
	if err != nil {
		return fmt.Errorf("open the privacy log: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	lib, end := context.WithCancel(ctx) // what the library does in the background ends after what waits was entered
	l.end = end
	driver, err := posix.New(lib, posix.Config{Path: filepath.Join(l.Dir, tilesDir), HTTPClient: l.Client})
	if err == nil {
		o := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(batch, batchAge).WithCheckpointInterval(published).
			WithCheckpointRepublishInterval(24 * time.Hour).WithGarbageCollectionInterval(time.Hour)
		l.append, l.shut, l.reader, err = tessera.NewAppender(lib, driver, o)
	}
	if err == nil {
		err = private(filepath.Join(l.Dir, tilesDir))
	}
	if err != nil {
		end()
		return fmt.Errorf("open the privacy log: %w", err)
	}
	l.done = make(chan struct{})
	ctx, l.stop = context.WithCancel(ctx)
	go l.run(ctx)
	return nil
}

// private keeps others on the machine out of the log's folder; what may be read is served.
func private(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close closes the log. What waits in SQL is entered at the next start.
func (l *Log) Close() error {
	if l.stop == nil {
		return nil
	}
	l.stop()
	<-l.done
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := l.shut(ctx)
	l.end()
	return err
}

// signer is the log's key, made when there is none. A folder of tiles without its key is another's: a new log begins beside it.
func (l *Log) signer() (note.Signer, error) {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(l.Dir, keyFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.RemoveAll(filepath.Join(l.Dir, tilesDir)); err != nil {
			return nil, err
		}
		made := make([]byte, 8)
		_, _ = rand.Read(made)
		secret, public, err := note.GenerateKey(rand.Reader, fmt.Sprintf("candor-log/%x", made))
		if err != nil {
			return nil, err
		}
		b = []byte(secret + "\n" + public + "\n")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	secret, public, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l.key, l.name = strings.TrimSpace(public), receipt.Fingerprint(strings.TrimSpace(public))
	if origin, err := receipt.Origin(l.key); err != nil || origin != s.Name() {
		return nil, fmt.Errorf("%s: its two lines do not belong together", file)
	}
	return s, nil
}

// Key is the public key that checkpoints are signed with, as verifiers take it.
func (l *Log) Key() string { return l.key }

// Statement makes a commitment to what is stated, and what opens it.
func Statement(statement any) (commitment, opening []byte, err error) {
	b, err := json.Marshal(statement)
	if err != nil {
		return nil, nil, err
	}
	opening = make([]byte, 32)
	_, _ = rand.Read(opening)
	commitment, err = receipt.Commit(opening, b)
	return commitment, opening, err
}

// Enter writes a leaf in the caller's transaction; it is in the log soon after that.
func (l *Log) Enter(ctx context.Context, tx bun.IDB, kind string, commitment []byte) (id.Row, error) {
	leaf, err := json.Marshal(receipt.Leaf{V: 1, Kind: kind, Day: clock.DayOf(l.Clock.Now()).String(), Commitment: commitment})
	if err != nil {
		return id.Row{}, err
	}
	made := id.Make[id.Row]()
	if _, err := tx.NewRaw("INSERT INTO privlog_leaf (tenant_id, id, kind, leaf) VALUES (?, ?, ?, ?)", l.Tenant, made, kind, leaf).Exec(ctx); err != nil {
		return id.Row{}, fmt.Errorf("write a leaf: %w", err)
	}
	l.waking().nudge()
	return made, nil
}

// wake tells the loop that something was written. A log that was not started keeps it for then.
type wake chan struct{}

func (w wake) nudge() {
	select {
	case w <- struct{}{}:
	default:
	}
}

func (l *Log) waking() wake {
	l.once.Do(func() { l.wake = make(wake, 1) })
	return l.wake
}

// run enters what waits, soon after it was written and every now and then.
func (l *Log) run(ctx context.Context) {
	defer close(l.done)
	for {
		for {
			n, err := l.enter(ctx)
			if err != nil && ctx.Err() == nil {
				l.Log.Warn("the privacy log could not be written; it is tried again", "err", err)
			}
			if err != nil || n < batch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-l.waking():
			if l.Clock.Sleep(ctx, batchAge) != nil { // the transaction that wrote it may still be open
				return
			}
		case <-time.After(look):
		}
	}
}

// enter puts a batch into the log and notes where each leaf lies.
func (l *Log) enter(ctx context.Context) (int, error) {
	l.entered.Lock()
	defer l.entered.Unlock()
	var rows []struct {
		ID   id.Row `bun:"id"`
		Leaf []byte `bun:"leaf"`
	}
	err := l.DB.Read.NewRaw("SELECT id, leaf FROM privlog_leaf WHERE tenant_id = ? AND (idx IS NULL OR log <> ?) ORDER BY id LIMIT ?", l.Tenant, l.name, batch).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	futures := make([]tessera.IndexFuture, len(rows))
	for i, r := range rows {
		futures[i] = l.append.Add(ctx, tessera.NewEntry(r.Leaf))
	}
	return len(rows), l.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i, r := range rows {
			at, err := futures[i]()
			if err != nil {
				return err
			}
			if _, err := tx.NewRaw("UPDATE privlog_leaf SET idx = ?, log = ? WHERE tenant_id = ? AND id = ?", int64(at.Index), l.name, l.Tenant, r.ID).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
