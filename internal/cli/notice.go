package cli

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"candor/internal/app"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/problem"
)

type noticeCommands struct {
	Check    noticeCheck    `cmd:"" help:"Read a notice and say whom it concerns, without telling anybody."`
	Declare  noticeDeclare  `cmd:"" help:"Declare a notice. The running server begins to tell people at once."`
	List     noticeList     `cmd:"" help:"List what was declared, how far telling is, and what is due."`
	Reported noticeReported `cmd:"" help:"Write down that an incident was reported to the authority."`
	Withdraw noticeWithdraw `cmd:"" help:"Take the end of the service back, before it has come."`
}

type noticeFile struct {
	File string `arg:"" type:"existingfile" help:"The notice; guide/notices.md shows how one is written."`
}

func (f noticeFile) declare(r *run, dry bool) (n notice.Notice, people int, err error) {
	c, err := r.load()
	if err != nil {
		return n, 0, err
	}
	in, err := os.Open(f.File)
	if err != nil {
		return n, 0, err
	}
	defer in.Close()
	return app.Declare(r.ctx, c.Config, in, dry)
}

type noticeCheck struct{ noticeFile }

func (k noticeCheck) Run(r *run) error {
	n, people, err := k.declare(r, true)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "It says everything that a notice of kind %s has to say, in every language. It concerns %d %s. Nobody was told.\n", n.Kind, people, persons(people))
	return nil
}

type noticeDeclare struct{ noticeFile }

func (k noticeDeclare) Run(r *run) error {
	n, people, err := k.declare(r, false)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "Declared: %s. It concerns %d %s; the running server begins to tell them at once.\n", n.ID, people, persons(people))
	if n.Kind == notice.Incident {
		fmt.Fprintf(r.out, "The authority has to have it by %s. Then: candor notice reported %s\n", n.Due().Time().UTC().Format("2006-01-02 15:04 UTC"), n.ID)
	}
	return nil
}

func persons(n int) string {
	if n == 1 {
		return "person"
	}
	return "people"
}

type noticeList struct{}

func (noticeList) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	all, err := app.Notices(r.ctx, c.Config)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(r.out, "Nothing was declared.")
	}
	for _, n := range all {
		fmt.Fprintf(r.out, "%s  %s, declared %s", n.ID, n.Kind, n.Declared.Time().UTC().Format("2006-01-02 15:04 UTC"))
		switch {
		case n.Kind == notice.Closing:
			fmt.Fprintf(r.out, "; the service ends at %s, accounts are closed on %s", n.Ends.Time().UTC().Format("2006-01-02 15:04 UTC"), n.Erases.Time().UTC().Format(time.DateOnly))
		case n.Kind == notice.Controller:
			fmt.Fprintf(r.out, "; from %s on", n.Ends.Time().UTC().Format(time.DateOnly))
		case n.Reported != 0:
			fmt.Fprintf(r.out, "; reported %s %s", n.Reported.Time().UTC().Format("2006-01-02 15:04 UTC"), n.Reference)
		case n.Due().Time().Before(time.Now()):
			fmt.Fprintf(r.out, "; NOT REPORTED, due since %s", n.Due().Time().UTC().Format("2006-01-02 15:04 UTC"))
		default:
			fmt.Fprintf(r.out, "; the authority has to have it by %s", n.Due().Time().UTC().Format("2006-01-02 15:04 UTC"))
		}
		fmt.Fprint(r.out, "\n    people:")
		for _, state := range slices.Sorted(maps.Keys(n.People)) {
			fmt.Fprintf(r.out, " %d %s", n.People[state], state)
		}
		if n.Public {
			fmt.Fprint(r.out, "; everybody may read it")
		}
		fmt.Fprintln(r.out)
	}
	return nil
}

type noticeID struct {
	ID string `arg:"" help:"As candor notice list names it."`
}

func (n noticeID) read() (id.Row, error) {
	which, err := id.Read[id.Row](n.ID)
	if err != nil {
		return which, problem.Invalid("notice.file").With("why", n.ID+" is no id; candor notice list names them")
	}
	return which, nil
}

type noticeReported struct {
	noticeID
	Reference string `help:"What the authority calls it."`
}

func (k noticeReported) Run(r *run) error {
	which, err := k.read()
	if err != nil {
		return err
	}
	c, err := r.load()
	if err != nil {
		return err
	}
	return app.ReportNotice(r.ctx, c.Config, which, k.Reference)
}

type noticeWithdraw struct{ noticeID }

func (k noticeWithdraw) Run(r *run) error {
	which, err := k.read()
	if err != nil {
		return err
	}
	c, err := r.load()
	if err != nil {
		return err
	}
	return app.WithdrawNotice(r.ctx, c.Config, which)
}
