pragma journal_mode = wal;
create table numbers (n integer primary key, name text not null, half real);
begin;
with recursive c(n) as (select 1 union all select n + 1 from c where n < 20000)
	insert into numbers select n, 'name ' || n, n / 2.0 from c;
commit;
create index by_name on numbers (name);
delete from numbers where n % 7 = 0;
update numbers set half = half * 2 where n % 5 = 0;
insert into numbers values (1, 'twice', 0);
select count(*), sum(half), max(name) from numbers;
select n % 10 as last, count(*), group_concat(n) from numbers where n < 100 group by last;
explain query plan select * from numbers where name = 'name 12';
select * from numbers where name between 'name 1999' and 'name 2000';
pragma wal_checkpoint(truncate);
vacuum;
select page_count > 0 from pragma_page_count();
.shell echo shell
.backup copy.db
.open copy.db
select count(*) from numbers;
