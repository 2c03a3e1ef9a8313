// Command lab runs Banyan on one machine, and works on what runs.
//
//	go run ./scripts/lab up       start everything
//	go run ./scripts/lab buy      buy a book, and see every request
//	go run ./scripts/lab --help   the rest
//
// Each command is a struct in a file of its own, and thin: the work is done by the packages below
// this folder. Results go to standard output, progress and errors to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Dir  string `help:"Folder of the lab's data, logs and state." default:".lab" type:"path" placeholder:"FOLDER"`
	JSON bool   `name:"json" help:"Print results as JSON on standard output, for machines."`

	Up          upCommand          `cmd:"" help:"Build and start everything: PostgreSQL, NATS, the world outside, the monolith and the services."`
	Down        downCommand        `cmd:"" help:"Stop the running lab."`
	Steps       stepsCommand       `cmd:"" help:"Show the ladder from the monolith to the services, and what runs."`
	Extract     extractCommand     `cmd:"" help:"Take an area out of the running trunk while customers buy, up to its switch."`
	Status      statusCommand      `cmd:"" help:"Show where each area stands, and what to do next."`
	Pause       pauseCommand       `cmd:"" help:"Let the copier of an area rest."`
	Resume      resumeCommand      `cmd:"" help:"Let the copier of an area go on."`
	Switch      switchCommand      `cmd:"" aliases:"switchtraffic" help:"Hand a copied area over to its service."`
	Rollback    rollbackCommand    `cmd:"" aliases:"reversetraffic" help:"Hand a switched area back, with all that was written since."`
	Cancel      cancelCommand      `cmd:"" help:"Undo a move before its switch."`
	Finalize    finalizeCommand    `cmd:"" aliases:"complete" help:"Drop what a switched area has left behind. There is no way back after it."`
	VerifyData  verifyDataCommand  `cmd:"" name:"verify-data" help:"Compare an area's rows on both sides while everything is at work."`
	Drift       driftCommand       `cmd:"" help:"Plant a difference between both sides, to see that it is found."`
	Climb       climbCommand       `cmd:"" help:"Take every area out of the monolith, back and out again, while customers buy."`
	Report      reportCommand      `cmd:"" help:"Print what an area's move did, and what it cost customers."`
	Buy         buyCommand         `cmd:"" help:"Buy a book on each side of the running lab, and print every request as curl."`
	Migrate     migrateCommand     `cmd:"" help:"Apply the migrations of the schemas, as their owners."`
	Prepare     prepareCommand     `cmd:"" help:"Make ready what containers need; compose.yaml runs it."`
	Deadletters deadlettersCommand `cmd:"" help:"List events that services put aside, or have them tried again."`
	Republish   republishCommand   `cmd:"" help:"Have a service publish events again that the broker has lost."`
	Verify      verifyCommand      `cmd:"" help:"Judge the running lab: the same requests to both sides, the contract suite, the invariants."`
	Race        raceCommand        `cmd:"" help:"Let many customers buy the last copies of a book at once, and count."`
	Crash       crashCommand       `cmd:"" help:"Kill processes while customers buy, and look what is left."`
	Overload    overloadCommand    `cmd:"" help:"Ask each side for five times what it can do, and see how it says no."`
	Mutants     mutantsCommand     `cmd:"" help:"Put known mistakes back into the services and into what moves areas, and see that each is caught."`
	Chaos       chaosCommand       `cmd:"" help:"Break everything at once while customers buy, and judge what is left."`
	Rolling     rollingCommand     `cmd:"" help:"Restart every process and exchange every key while customers buy, and see whether they notice."`
	Bench       benchCommand       `cmd:"" help:"Measure both sides with TPC-W's mixes, and compare them."`
}

// streams are where commands write.
type streams struct {
	out io.Writer // results
	err io.Writer // progress
}

// exitCode is an error that has been shown already, and the code to leave with.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit status %d", int(c)) }

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// From the first signal on, a second one ends the lab at once; its processes end with it.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr})
	stop()

	var code exitCode
	var use usageError
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case errors.As(err, &use):
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, to streams) error {
	var line commands
	parser, err := kong.New(&line,
		kong.Name("lab"),
		kong.Description("Runs Banyan on this machine, as a monolith and as services side by side."),
		kong.Writers(to.out, to.err),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(to),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w (lab --help shows what there is)", err)
	}
	return command.Run(&line)
}
