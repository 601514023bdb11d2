package privlog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"

	"candor/internal/id"
	"candor/internal/privlog/receipt"
	"candor/internal/problem"
)

// Receipt makes the document for a statement whose leaf was entered. Problems: log.pending while it is not in the log yet.
func (l *Log) Receipt(ctx context.Context, leaf id.Row, statement any, opening []byte) (receipt.Document, error) {
	d := receipt.Document{Layout: receipt.Layout, Opening: opening, Key: l.key}
	var err error
	if d.Statement, err = json.Marshal(statement); err != nil {
		return d, err
	}
	var idx sql.NullInt64
	err = l.DB.Read.NewRaw("SELECT leaf, idx FROM privlog_leaf WHERE tenant_id = ? AND id = ? AND (idx IS NULL OR log = ?)", l.Tenant, leaf, l.name).Scan(ctx, &d.Leaf, &idx)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !idx.Valid {
		return d, problem.Unavailable("log.pending")
	}
	if err != nil {
		return d, fmt.Errorf("read a leaf: %w", err)
	}
	d.Index = uint64(idx.Int64)
	checkpoint, err := l.reader.ReadCheckpoint(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return d, problem.Unavailable("log.pending")
	}
	if err != nil {
		return d, fmt.Errorf("read the checkpoint: %w", err)
	}
	v, err := note.NewVerifier(l.key)
	if err != nil {
		return d, err
	}
	root, _, _, err := log.ParseCheckpoint(checkpoint, v.Name(), v)
	if err != nil {
		return d, fmt.Errorf("read the checkpoint: %w", err)
	}
	if d.Index >= root.Size {
		return d, problem.Unavailable("log.pending")
	}
	d.Checkpoint = string(checkpoint)
	b, err := client.NewProofBuilder(ctx, root.Size, l.reader.ReadTile)
	if err != nil {
		return d, fmt.Errorf("prove a leaf: %w", err)
	}
	if d.Proof, err = b.InclusionProof(ctx, d.Index); err != nil {
		return d, fmt.Errorf("prove a leaf: %w", err)
	}
	if d.Proof == nil {
		d.Proof = [][]byte{} // of the only leaf
	}
	return d, nil
}

// Has reports whether a leaf is in the log, so that Receipt would prove it.
func (l *Log) Has(ctx context.Context, leaf id.Row) bool {
	if leaf.IsZero() {
		return false
	}
	_, err := l.Receipt(ctx, leaf, nil, nil)
	return err == nil
}

// File is one of the log's public files, by its C2SP path: checkpoint, tile/<level>/<index>, tile/entries/<index>. What else
// lies in the folder is not served. Problems: not_found.
func (l *Log) File(ctx context.Context, path string) (b []byte, fixed bool, err error) {
	switch {
	case path == "key":
		return []byte(l.key + "\n"), false, nil
	case path == "checkpoint":
		b, err = l.reader.ReadCheckpoint(ctx)
	case strings.HasPrefix(path, "tile/entries/"):
		at, part, perr := layout.ParseTileIndexPartial(strings.TrimPrefix(path, "tile/entries/"))
		if perr != nil {
			return nil, false, problem.NotFound()
		}
		fixed = true
		b, err = l.reader.ReadEntryBundle(ctx, at, part)
	case strings.HasPrefix(path, "tile/"):
		level, index, _ := strings.Cut(strings.TrimPrefix(path, "tile/"), "/")
		depth, at, part, perr := layout.ParseTileLevelIndexPartial(level, index)
		if perr != nil {
			return nil, false, problem.NotFound()
		}
		fixed = true
		b, err = l.reader.ReadTile(ctx, depth, at, part)
	default:
		return nil, false, problem.NotFound()
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, problem.NotFound()
	}
	return b, fixed, err
}
