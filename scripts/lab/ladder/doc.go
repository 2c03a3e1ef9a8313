// Package ladder moves the areas out of the monolith's schema, one at a time, with the
// SQL of migrations/extract.
//
// A [Copier] has an operation for each stage of a move:
//
//	Note      triggers write down which rows change from now on
//	Backfill  copies everything, range by range
//	CatchUp   copies again what was noted
//	Verify    compares both sides in one snapshot
//	CutOver   copies the last rows under lock, and hands over the right to write
//	Rollback  does the same in the other direction
//	Validate  looks at the foreign keys that a rollback has added
//	Finalize  renames what is left behind, and drops it
//	Cancel    gives a move up before the switch
//
// The copier has a direction: rows come from the side that owns the area. CutOver and
// Rollback turn the triggers round, and CatchUp and Verify go on as before. So an area
// goes back as it went, and forth again without a second copy of what the service owned.
// CheckCutOver and CheckRollback say why it can't go now.
//
// [Plan] and [Status] only read. [Copier.Plant] spoils rows that Verify has to name, and
// [Copier.Repair] derives them again.
//
// [Climb] runs the operations on data at rest, for one area after the other: a step's data
// are the data of step 0, moved. Each operation may be killed anywhere and run again.
//
// No operation holds a list of columns. A view of the extraction derives each table from
// the owner's tables, and the engine reads the columns from the view. So backfill, catching
// up and verification can't disagree about what a row should be.
package ladder
