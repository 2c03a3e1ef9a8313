package up

// Held are the prefixes that a gateway holds while the step's area changes hands, forth or back: whatever leads to the
// trunk or to the service before or after, and whatever comes with a token that the trunk exchanges. Both processes are
// replaced meanwhile.
func (s Step) Held() []string {
	if s.Area == "" {
		return nil
	}
	var held []string
	for _, prefix := range prefixes {
		for _, at := range []Step{Ladder[s.Number-1], s} {
			home := at.Home(prefix.area)
			if home == Trunk || home == s.Area || at.exchanges(prefix.area) && at.Home("accounts") == Trunk {
				held = append(held, prefix.path)
				break
			}
		}
	}
	return held
}

// Prefixes are the paths of the public API that an area serves.
func Prefixes(area string) []string {
	var all []string
	for _, prefix := range prefixes {
		if prefix.area == area {
			all = append(all, prefix.path)
		}
	}
	return all
}

// Token is what a gateway does with customers' tokens on the way to an area at this step: pass or exchange.
func (s Step) Token(area string) string {
	if s.exchanges(area) {
		return "exchange"
	}
	return "pass"
}
