%% Usage: escript ssh_erlang.erl PORT DIR: the keys of DIR; passwords, none of which is right, and keys.
main([Port, Dir]) ->
    {ok, _} = application:ensure_all_started(ssh),
    {ok, _} = ssh:daemon({127, 0, 0, 1}, list_to_integer(Port), [
        {system_dir, Dir},
        {user_dir, Dir},
        {auth_methods, "publickey,password"},
        {pwdfun, fun(_, _) -> false end}
    ]),
    receive never -> ok end.
