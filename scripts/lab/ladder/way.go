package ladder

// way is one of the two directions in which an area's rows are copied: from the owner's
// side to the other one.
type way struct {
	from, to string // schemas
	views    string // what the names of the views begin with
	notes    string // what the names of the triggers begin with
	course
}

// wayForth is the way from the monolith to the service.
func (a Area) wayForth() way {
	return way{Monolith, a.Name, a.Name + "_", a.Name + "_notes_", a.forth}
}

// wayBack is the way from the service to the monolith.
func (a Area) wayBack() way {
	return way{a.Name, Monolith, a.Name + "_back_", a.Name + "_back_", a.back}
}

// view derives a table that is written from the owner's tables.
func (w way) view(table string) string { return "extract." + w.views + table }

// target is the table that is written.
func (w way) target(table string) string { return w.to + "." + table }

// all are the tables that the views fill.
func (w way) all() []string {
	var names []string
	for _, r := range w.roots {
		for _, t := range r.tables {
			names = append(names, t.name)
		}
	}
	for _, s := range w.settled {
		names = append(names, s.name)
	}
	return names
}

// rootNames are the names of the roots. Only their notes are taken.
func (w way) rootNames() []string {
	names := make([]string, len(w.roots))
	for n, r := range w.roots {
		names[n] = r.name
	}
	return names
}

// rootOf finds a table, and the root that it belongs to.
func (w way) rootOf(name string) (root, table) {
	for _, r := range w.roots {
		for _, t := range r.tables {
			if t.name == name {
				return r, t
			}
		}
	}
	return root{}, table{}
}

// derived reports whether a table of the root is kept by events after the switch. Such a
// root is derived again, in full, before the next switch.
func (r root) derived() bool {
	for _, t := range r.tables {
		if t.derived {
			return true
		}
	}
	return false
}
