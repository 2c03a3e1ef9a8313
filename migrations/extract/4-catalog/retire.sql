alter table monolith.books rename column words to words_old;
alter table monolith.books rename column age to age_old;
alter table monolith.books rename column isbn to isbn_old;
alter table monolith.books rename column authors to authors_old;
alter table monolith.books rename column subject to subject_old;
alter table monolith.books rename column publisher to publisher_old;
alter table monolith.books rename column published_on to published_on_old;
alter table monolith.books rename column description to description_old;
