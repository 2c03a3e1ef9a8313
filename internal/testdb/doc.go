// Package testdb gives every test a real PostgreSQL database of its own, and a real nats-server.
//
//	db := testdb.New(t, migrations.FS)
//	pool := db.Pool("catalog_app")
//
// A database is cloned from a template, which takes some tens of milliseconds. The template's name
// holds a hash of the migrations; whichever test process first needs one that is not there makes it.
//
// All test processes of one user share one PostgreSQL server, which the first of them starts and which
// goes away some seconds after the last, however that one ended (see package local). Its files stay, in
// memory or in the temporary folder, so that the next run finds the templates of this one. If DATABASE_URL
// is set, the server it names is used instead; the URL has to be a superuser's, and the roles of the
// migrations get a well-known password there.
package testdb
