package sqltest

import (
	"database/sql"
	"fmt"
	"os/exec"
	"time"
)

// wait returns when the server answers, or with what stopped it.
func (s *server) wait(cmd *exec.Cmd) error {
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case err := <-died:
			return fmt.Errorf("server ended: %w", err)
		default:
		}
	}
	return fmt.Errorf("no answer within 30 s: %w", err)
}
