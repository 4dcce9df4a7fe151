%% Modules compiled, loaded, called, replaced and purged, while processes on every scheduler call them; ports, files.
-module(compiled).
-export([main/0]).

main() ->
    jit = erlang:system_info(emu_flavor),
    io:format("modules ~p~n", [lists:sum([replaced(N) || N <- lists:seq(1, 40)])]),
    io:format("processes ~p~n", [processes(8)]),
    io:format("files ~p~n", [lists:sum([file(N) || N <- lists:seq(1, 200)])]),
    io:format("port ~p~n", [os:cmd("seq 1 3; echo error >&2; exit 4")]),
    io:format("sockets ~p~n", [sockets(20)]),
    io:format("errors ~p ~p~n", [kind(catch list_to_integer(os:getenv("HOME"))), kind(catch (os:getpid() + 1))]),
    halt(3).

kind({'EXIT', {Reason, _}}) -> Reason.

%% A new version each time: the old one goes when it is purged.
replaced(N) ->
    Name = list_to_atom("made" ++ integer_to_list(N rem 5)),
    load(Name, N),
    lists:sum([Name:f(I) || I <- lists:seq(1, 3000)]) rem 65521.

load(Name, N) ->
    Forms = [{attribute, 1, module, Name}, {attribute, 1, export, [{f, 1}]},
             {function, 1, f, 1, [{clause, 1, [{var, 1, 'I'}], [],
               [{op, 1, 'rem', {op, 1, '*', {var, 1, 'I'}, {integer, 1, N}}, {integer, 1, 1009}}]}]}],
    {ok, Name, Binary} = compile:forms(Forms, []),
    code:purge(Name),
    {module, Name} = code:load_binary(Name, "none", Binary).

%% Each calls its own module while the others load theirs.
processes(Count) ->
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), work(list_to_atom("own" ++ integer_to_list(N)), 15)} end)
            || N <- lists:seq(1, Count)],
    [receive {Pid, Sum} -> Sum end || Pid <- Pids].

work(_, 0) -> 0;
work(Name, N) ->
    load(Name, N),
    Sum = lists:sum([Name:f(I) || I <- lists:seq(1, 2000)]),
    receive after 1 -> ok end,
    (Sum + work(Name, N - 1)) rem 65521.

file(N) ->
    Name = "file" ++ integer_to_list(N rem 10),
    ok = file:write_file(Name, lists:duplicate(N, $x)),
    {ok, Binary} = file:read_file(Name),
    byte_size(Binary).

sockets(Count) ->
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listen),
    spawn_link(fun() -> echo(Listen, Count) end),
    length([ok || N <- lists:seq(1, Count), round_trip(Port, N)]).

echo(_, 0) -> ok;
echo(Listen, Count) ->
    {ok, Link} = gen_tcp:accept(Listen),
    {ok, Text} = gen_tcp:recv(Link, 0),
    ok = gen_tcp:send(Link, Text),
    gen_tcp:close(Link),
    echo(Listen, Count - 1).

round_trip(Port, N) ->
    {ok, Link} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    Text = integer_to_binary(N),
    ok = gen_tcp:send(Link, Text),
    {ok, Text} = gen_tcp:recv(Link, byte_size(Text)),
    gen_tcp:close(Link),
    true.
