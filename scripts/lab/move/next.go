package move

import (
	"fmt"

	"banyan/scripts/lab/ladder"
)

// StageError means that a command does not fit where the area stands.
type StageError struct {
	Area   string
	Stage  string
	Wanted string // the command
}

func (e *StageError) Error() string {
	switch {
	case e.Wanted == "cancel" && e.Stage == ladder.StageCutOver:
		return fmt.Sprintf("%s has been switched: lab rollback %[1]s hands it back, and then lab cancel %[1]s undoes the rest", e.Area)
	case e.Stage == ladder.StageFinalized, e.Stage == ladder.StageFinalizing:
		return fmt.Sprintf("%s is finalized: what it left behind in the monolith is gone, and there is no way back. A lab at a "+
			"lower step needs data of its own: lab up --fresh --step N, which removes these, or another --dir", e.Area)
	case e.Stage == "":
		return fmt.Sprintf("%s is not on its way: begin with lab extract %[1]s", e.Area)
	case e.Wanted == "rollback":
		return fmt.Sprintf("%s is with the monolith, and nothing has to be handed back: lab cancel %[1]s undoes its move", e.Area)
	case e.Stage == ladder.StageNoted:
		return fmt.Sprintf("%s is not copied yet: lab extract %[1]s goes on where it stopped", e.Area)
	case e.Wanted == "finalize":
		return fmt.Sprintf("%s is with the monolith: lab switch %[1]s hands it over first", e.Area)
	}
	return fmt.Sprintf("%s is %s, and can't %s", e.Area, e.Stage, e.Wanted)
}

// NextSteps are the commands that go on from where an area stands, the likeliest first.
func NextSteps(area string, stage string) []string {
	command := func(name, why string) string { return fmt.Sprintf("lab %s %s   %s", name, area, why) }
	switch stage {
	case "":
		return []string{command("extract", "copies it; --dry-run shows what that means")}
	case ladder.StageNoted:
		return []string{command("extract", "goes on copying"), command("cancel", "undoes it")}
	case ladder.StageCopied:
		return []string{command("switch", "hands it over"), command("verify-data", "compares both sides"), command("cancel", "undoes it")}
	case ladder.StageFinalizing:
		return []string{command("finalize", "ends what it has begun")}
	case ladder.StageCutOver:
		return []string{
			command("rollback", "hands it back, with all that was written since"),
			command("finalize", "drops what is left behind; then there is no way back"),
		}
	}
	return nil
}
