package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"candor/internal/privlog/receipt"
)

type verify struct {
	File       string `arg:"" type:"existingfile" help:"The receipt, as it was downloaded."`
	Key        string `placeholder:"KEY|FILE" help:"The log's public key, as /log/key serves it, or a file that holds it. Without it the receipt's own word for it is taken, and printed for you to compare."`
	Checkpoint string `type:"existingfile" placeholder:"FILE" help:"A checkpoint of the same size that you or a witness kept, instead of the one in the receipt."`
}

func (v verify) Run(r *run) error {
	f, err := os.Open(v.File)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := receipt.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", v.File, err)
	}
	key, own := v.Key, false
	if key == "" {
		key, own = d.Key, true
	} else if b, err := os.ReadFile(key); err == nil {
		key = string(b)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key = strings.TrimSpace(key)
	checkpoint := ""
	if v.Checkpoint != "" {
		b, err := os.ReadFile(v.Checkpoint)
		if err != nil {
			return err
		}
		checkpoint = string(b)
	}
	c, err := d.Check(key, checkpoint)
	switch {
	case errors.Is(err, receipt.ErrKey):
		return fmt.Errorf("NOT GOOD: the checkpoint is not signed by the key %s (%w)", receipt.Fingerprint(key), err)
	case errors.Is(err, receipt.ErrCommitment):
		return errors.New("NOT GOOD: what the receipt states is not what was entered in the log")
	case errors.Is(err, receipt.ErrProof):
		return fmt.Errorf("NOT GOOD: the proof does not lead to the checkpoint (%w)", err)
	case err != nil:
		return fmt.Errorf("NOT GOOD: %w", err)
	}
	fmt.Fprintf(r.out, "ok    what is stated is what was entered in the log: a leaf of kind %s, of %s\n", c.Leaf.Kind, c.Leaf.Day)
	fmt.Fprintf(r.out, "ok    the leaf is number %d of the %d in the log\n", d.Index, c.Size)
	fmt.Fprintf(r.out, "ok    the checkpoint is signed by %s, key %s\n", c.Origin, receipt.Fingerprint(key))
	if own {
		fmt.Fprintf(r.out, "note  that is the key which the receipt itself names. Compare it with what the installation serves at /log/key, or give it with --key.\n")
	}
	return nil
}
