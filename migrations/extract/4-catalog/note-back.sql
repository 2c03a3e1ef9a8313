create or replace trigger catalog_back_book
after insert or update or delete on catalog.books
for each row execute function extract.note_book('catalog');
