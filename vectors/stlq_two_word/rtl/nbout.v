`timescale 1ns / 1ps
// nbout: output neurons, TM lanes per word at (oy*OW + ox)*COT + cot. The host reads it back when done.
module nbout #(
    parameter TM    = 16,
    parameter AO    = 11,
    parameter DEPTH = 64
) (
    input  wire             clk,
    input  wire             we,
    input  wire [31:0]      addr,
    input  wire [TM*AO-1:0] data,
    input  wire             host_re,
    input  wire [31:0]      host_addr,
    output wire [TM*AO-1:0] host_q
);
    sram #(.BITS(TM*AO), .DEPTH(DEPTH)) u_mem (
        .clk(clk), .we(we), .waddr(addr), .wdata(data),
        .re(host_re), .raddr(host_addr), .rdata(host_q));
endmodule
