package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/userfile"
)

const policiesHelp = `List the policies that are built in, or write one down as a file for --policy.

A policy says what servers must and mustn't offer, and who says so. Each departure from it is part of the
finding policy.NAME. To make one of your own, write a policy into a file, change it and give it a name:

  handclasp policies rfc9325 > house.yaml
  handclasp scan --tls full --policy house.yaml mx1.example.net`

func (a *app) policiesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "policies [NAME]",
		Short:   "List the policies for --policy, or write one down",
		Long:    policiesHelp,
		Example: "  handclasp policies\n  handclasp policies openssh-9.2\n  handclasp scan --policy openssh-9.2 ssh://192.0.2.7",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listPolicies(cmd)
			}
			p, err := userfile.Policy(args[0])
			if err != nil {
				return err
			}
			e := yaml.NewEncoder(cmd.OutOrStdout())
			e.SetIndent(2)
			if err := e.Encode(p); err != nil {
				return err
			}
			return e.Close()
		},
	}
}

func listPolicies(cmd *cobra.Command) error {
	all := finding.Policies()
	widest := 0
	for _, p := range all {
		widest = max(widest, len(p.Name))
	}
	w := bufio.NewWriter(cmd.OutOrStdout())
	for _, p := range all {
		fmt.Fprintf(w, "%-*s  %s\n", widest, p.Name, p.Title)
	}
	return w.Flush()
}
