package cli

import (
	"errors"
	"fmt"
	"time"

	"candor/internal/app"
)

type backup struct {
	To string `required:"" placeholder:"FOLDER" help:"Where to. A new or empty folder, or one that an earlier backup of this installation made; best on another disk."`
}

func (b backup) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	got, err := app.Backup(r.ctx, c.Config, b.To)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "Backup %s of %d recorded pieces, %.1f MB in all, is in %s.\nThe keys are not in it: `candor keys mirror` copies them.\n",
		got.Name(), got.Objects, float64(got.Bytes)/1e6, b.To)
	return nil
}

type restore struct {
	From string `required:"" placeholder:"FOLDER" help:"The backup folder."`
	At   string `placeholder:"TIME" help:"Which run, by its name in runs/ (20300504T100000Z); the newest if there is none."`
}

func (s restore) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	got, err := app.Restore(r.ctx, c.Config, s.From, s.At)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "The backup of %s is in %s. Everybody has to sign in again.\n", got.At.Format(time.RFC1123), c.DataDir)
	fmt.Fprintln(r.out, "The next start removes what was erased since; it needs the newest keys there are (`candor keys restore`).")
	if got.Lost > 0 {
		return errors.New(fmt.Sprint(got.Lost, " recorded pieces were missing or damaged in the backup and are left out"))
	}
	return nil
}

type keys struct {
	Mirror  keysMirror  `cmd:"" help:"Seal a copy of the keys to a recovery key that is kept elsewhere."`
	Restore keysRestore `cmd:"" help:"Open a key mirror with the recovery key and put the keys back."`
}

type keysMirror struct {
	To        string `required:"" placeholder:"FOLDER" help:"Where to; elsewhere than the data backup."`
	Recipient string `required:"" placeholder:"AGE1…" help:"The public half of the recovery key; age-keygen prints it."`
}

func (k keysMirror) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	file, days, err := app.MirrorKeys(r.ctx, c.Config, k.To, k.Recipient)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "The keys are in %s. Mirrors older than %d days were removed, and all but one of a day.\n", file, days)
	return nil
}

type keysRestore struct {
	From     string `required:"" type:"existingfile" placeholder:"FILE" help:"The key mirror, best the newest."`
	Identity string `required:"" type:"existingfile" placeholder:"FILE" help:"The recovery key (AGE-SECRET-KEY-…)."`
}

func (k keysRestore) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	if err := app.RestoreKeys(r.ctx, c.Config, k.From, k.Identity); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "The keys are in %s. What was recorded after the mirror was made does not open.\n", c.DataDir)
	return nil
}
