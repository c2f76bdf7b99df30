`timescale 1ns / 1ps
// sb: synapses, TM*TN weights per word, in two banks. Even output tiles lie in bank 0, odd ones in bank 1.
module sb #(
    parameter TN    = 16,
    parameter TM    = 16,
    parameter W     = 8,
    parameter DEPTH = 64                // words of one bank
) (
    input  wire               clk,
    input  wire               host_we,
    input  wire               host_bank,
    input  wire [31:0]        host_addr,
    input  wire [TM*TN*W-1:0] host_data,
    input  wire               issue,    // c
    input  wire               bank,     // c
    input  wire [31:0]        addr,     // c
    output wire [TM*TN*W-1:0] q         // c+1
);
    reg                bank1;
    wire [TM*TN*W-1:0] q0, q1;

    sram #(.BITS(TM*TN*W), .DEPTH(DEPTH)) u_bank0 (
        .clk(clk), .we(host_we && !host_bank), .waddr(host_addr), .wdata(host_data),
        .re(issue && !bank), .raddr(addr), .rdata(q0));
    sram #(.BITS(TM*TN*W), .DEPTH(DEPTH)) u_bank1 (
        .clk(clk), .we(host_we && host_bank), .waddr(host_addr), .wdata(host_data),
        .re(issue && bank), .raddr(addr), .rdata(q1));

    always @(posedge clk) if (issue) bank1 <= bank;

    assign q = bank1 ? q1 : q0;
endmodule
