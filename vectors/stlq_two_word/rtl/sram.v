`timescale 1ns / 1ps
// sram: one write port, one synchronous read port (data one cycle after the address), no reset, no bypass.
module sram #(
    parameter BITS  = 8,
    parameter DEPTH = 16
) (
    input  wire            clk,
    input  wire            we,
    input  wire [31:0]     waddr,
    input  wire [BITS-1:0] wdata,
    input  wire            re,
    input  wire [31:0]     raddr,
    output reg  [BITS-1:0] rdata
);
    localparam AW = (DEPTH > 1) ? $clog2(DEPTH) : 1;

    reg [BITS-1:0] mem [0:DEPTH-1];

    always @(posedge clk) begin
        if (we) mem[waddr[AW-1:0]] <= wdata;
        if (re) rdata <= mem[raddr[AW-1:0]];
    end
endmodule
