package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/fleet"
)

func cancelCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel SCAN",
		Short: "End a scan; results so far stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error { return client.Cancel(cmd.Context(), args[0]) })
		},
	}
}

func removeCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "remove SCAN...",
		Short: "Forget scans that have ended, with what the server holds of their results",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				for _, id := range args {
					if err := client.Remove(cmd.Context(), id); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func retryCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "retry SCAN",
		Short: "Scan again the shards that were given up",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				n, err := client.Retry(cmd.Context(), args[0])
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%d shards wait again\n", n)
				}
				return err
			})
		},
	}
}

func excludeCommand(c *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "exclude SCAN HOST...",
		Short: "Leave alone addresses, ranges and names from now on, in a scan that runs",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(client *fleet.Client) error { return client.Exclude(cmd.Context(), args[0], args[1:]) })
		},
	}
}
