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
//	Finalize  drops what is left behind
//
// [Climb] runs them on data at rest, for one area after the other: a step's data are the
// data of step 0, moved. Each operation may be killed anywhere and run again.
//
// No operation holds a list of columns. A view of the extraction derives each table of
// the service from the monolith's, and the engine reads the columns from the view. So
// backfill, catching up and verification can't disagree about what a row should be.
package ladder
