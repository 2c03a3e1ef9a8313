package seed

// edition is a way to bring out a work.
type edition struct {
	suffix       string // after the work's title
	note         string // its sentence in the description
	lowest, most int64  // price, in cents
	suits        func(Work) bool
}

func everything(Work) bool { return true }

// plain is how each work is sold first.
func plain() edition {
	return edition{"", "A paperback with a short introduction.", 699, 1799, everything}
}

// editions are the others.
func editions() []edition {
	translated, shown, long := Work.translated, Work.shown, Work.long
	volumes := "One volume of the complete text, sold singly and as a set."
	return []edition{
		plain(),
		{" (Illustrated Edition)", "With colour plates and drawings in the text.", 1499, 3499, everything},
		{" (Annotated Edition)", "With notes in the margin on people, places and words.", 1299, 2999, everything},
		{" (Large Print)", "Set in large type on cream paper, for easy reading.", 1299, 2499, everything},
		{" (Pocket Edition)", "Small enough for a coat pocket.", 499, 999, everything},
		{" (Clothbound)", "Bound in cloth, with a ribbon.", 1799, 2999, everything},
		{" (Student Edition)", "With questions, a time line and suggestions for essays.", 799, 1699, everything},
		{" (Critical Edition)", "With variant readings and a survey of what critics have said.", 1999, 4499, everything},
		{" (Collector's Edition)", "Numbered, on heavy paper, in a slipcase.", 3499, 4999, everything},
		{" (Anniversary Edition)", "With an essay on how the book has been read since.", 1299, 2799, everything},
		{" (Gift Edition)", "With decorated endpapers, wrapped.", 1499, 2499, everything},
		{" (Library Binding)", "Sewn and reinforced for many readers.", 1999, 3499, everything},
		{" (Reader's Edition)", "A clean text without notes.", 599, 1299, everything},
		{" (Dyslexia-Friendly Edition)", "In a clear typeface with wide spacing on tinted paper.", 1199, 2199, everything},
		{" (Facsimile of the First Edition)", "Page by page as it first appeared.", 2499, 4999, shown},
		{" (A New Translation)", "Newly translated, with a note by the translator.", 1199, 2499, translated},
		{" (Bilingual Edition)", "The original and a translation on facing pages.", 1499, 2999, translated},
		{", Volume 1", volumes, 999, 2199, long},
		{", Volume 2", volumes, 999, 2199, long},
		{", Volume 3", volumes, 999, 2199, long},
	}
}

// publishers are invented.
func publishers() []string {
	return []string{
		"Banyan Classics", "Aerial Root Press", "Paper Lantern Editions", "Harrow Lane Books",
		"The Quiet Room", "Saltmarsh & Daughters", "Ninefold", "Thistle and Comma", "Long Shelf Library",
		"Copper Kettle Press", "Windfall Editions", "The Ferryman's Press", "Oxbow Lane", "Inkhorn Books",
		"Half Moon Stairs", "Blue Almanac", "Margin House", "Tallow & Wick", "Northern Orchard",
		"Second Candle", "Old Harbour Books", "Green Door Editions", "Seven Bridges", "Folded Map",
		"Wren and Linnet", "Slow Reader", "Lamplighter's Library", "Stone Quay Press", "Rookery Books",
		"Evergreen Reading Room", "Patchwork Press", "The Garden Wall",
	}
}
