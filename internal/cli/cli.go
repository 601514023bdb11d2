// Package cli is the front door of the shell: it parses what was typed, loads the
// configuration and calls app. It prints for people; `--json` is for programs.
//
// Every setting of ref/config.yaml is also a flag (--http.listen …), on every command that
// reads the configuration.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"candor/internal/app"
	"candor/internal/config"
	"candor/internal/problem"
	"candor/words"
)

// grammar is what may be typed.
type grammar struct {
	Config string `short:"c" placeholder:"FILE" env:"CANDOR_CONFIG" help:"Configuration file (YAML). ref/config.yaml documents every setting; each is a flag too, as in --http.listen."`

	Serve     serve          `cmd:"" help:"Run the server."`
	Demo      demo           `cmd:"" help:"Run with the demo camera on this machine, and say where to look."`
	Doctor    doctor         `cmd:"" help:"Check this machine and this installation, and say what to do."`
	Backup    backup         `cmd:"" help:"Copy the data to a folder, beside the running server. Keys are not in it."`
	Restore   restore        `cmd:"" help:"Put a backup back into an empty data folder."`
	Keys      keys           `cmd:"" help:"Copy the keys, sealed to a recovery key, and put them back."`
	User      user           `cmd:"" help:"Help a person who is locked out."`
	SetupCode setupCode      `cmd:"" help:"Print the code that the set-up page asks for."`
	Policy    policy         `cmd:"" help:"Work on the privacy policy that is compiled into a build."`
	Notice    noticeCommands `cmd:"" help:"Tell people what they must be told: an incident, the end of the service, a change of who decides."`
	Verify    verify         `cmd:"" help:"Check a receipt against the privacy log, without a server."`
	Promises  promises       `cmd:"" help:"List every promise with its control, its checks and its state."`
	Openapi   openapi        `cmd:"" help:"Print the description of the HTTP API (OpenAPI 3.1)."`
	Version   version        `cmd:"" help:"Print which build this is."`
}

// run is what commands are handed.
type run struct {
	ctx      context.Context
	out, err io.Writer
	config   string
	env      []string
	settings map[string]string
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 not understood.
func Main(ctx context.Context, args, env []string, out, errOut io.Writer) int {
	args, settings, err := settingFlags(args)
	if err != nil {
		fmt.Fprintln(errOut, "candor:", err)
		return 2
	}
	var g grammar
	exit := -1
	parser, err := kong.New(&g, kong.Name("candor"), kong.Writers(out, errOut), kong.Exit(func(c int) { exit = c }),
		kong.Description("A connected-camera cloud that keeps its promises."), kong.UsageOnError())
	if err != nil {
		panic(err) // the grammar above is wrong; a test parses it
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(errOut, "candor:", err, "(candor --help lists what there is)")
		return 2
	}
	r := &run{ctx: ctx, out: out, err: errOut, config: g.Config, env: env, settings: settings}
	if err := parsed.Run(r); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(errOut, "candor:", sentence(err))
		if errors.As(err, &misread{}) {
			return 2
		}
		return 1
	}
	return 0
}

// misread is a setting that was not understood, wherever it was written.
type misread struct{ error }

func (m misread) Unwrap() error { return m.error }

// sentence is what the person at the shell reads: the problem's sentence with its cause behind
// it, since an operator reads both.
func sentence(err error) string {
	p, ok := problem.Of(err)
	if !ok {
		return err.Error()
	}
	s := words.Sentence("en", "problem."+p.Code, p.Args)
	if p.Cause != nil {
		s += " (" + p.Cause.Error() + ")"
	}
	return s
}

// load reads the configuration from file, environment and flags.
func (r *run) load() (*config.Loaded, error) {
	c, err := config.Load(config.Sources{File: r.config, Env: r.env, Flags: r.settings})
	if err != nil {
		return nil, misread{err}
	}
	return c, nil
}

type serve struct{}

func (serve) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	return app.Serve(r.ctx, app.Options{Config: c.Config, Out: r.out, Err: r.err})
}

type doctor struct{}

func (doctor) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	return app.Doctor(r.ctx, c, r.out)
}

type user struct {
	Reset userReset `cmd:"" help:"Give a person a new password, end their sessions and turn a second step off."`
}

type userReset struct {
	Email string `arg:"" help:"The address the person signs in with."`
}

func (u userReset) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	password, err := app.ResetUser(r.ctx, c.Config, u.Email)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "New password: %s\nEvery session has ended, and a second step at sign-in is off. Tell the person, and ask them to change it after signing in.\n", password)
	return nil
}

type setupCode struct{}

func (setupCode) Run(r *run) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	code, err := app.SetupCode(r.ctx, c.Config)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.out, code)
	return nil
}
