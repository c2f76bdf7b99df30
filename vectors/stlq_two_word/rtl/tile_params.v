`timescale 1ns / 1ps
// tile_params: what one output tile needs beside its weights, TM lanes per word, address cot. Each memory has its own read
// address: the tile of the pipeline stage that uses it.
module tile_params #(
    parameter TM    = 16,
    parameter ACC   = 32,
    parameter MB    = 16,
    parameter SB    = 6,
    parameter FOLD  = 1,
    parameter DEPTH = 4
) (
    input  wire                   clk,
    input  wire [6:0]             host_we,      // bias, m_pos, m_neg, shift, alpha, m2, shift2
    input  wire [31:0]            host_addr,
    input  wire [TM*48-1:0]       host_data,
    input  wire [31:0]            cot2,         // tile of the beat at c+2 ...
    input  wire [31:0]            cot3,
    input  wire [31:0]            cot4,
    input  wire [31:0]            cot5,
    input  wire [31:0]            cot6,
    input  wire [31:0]            cot7,
    output wire [TM*ACC-1:0]      bias,         // c+3
    output wire [TM*(MB+1)-1:0]   m_pos,        // c+4
    output wire [TM*(MB+1)-1:0]   m_neg,        // c+4
    output wire [TM*SB-1:0]       shift,        // c+5
    output wire [TM*16-1:0]       alpha,        // c+6
    output wire [TM*(MB+1)-1:0]   m2,           // c+7
    output wire [TM*SB-1:0]       shift2        // c+8
);
    sram #(.BITS(TM*ACC), .DEPTH(DEPTH)) u_bias (
        .clk(clk), .we(host_we[0]), .waddr(host_addr), .wdata(host_data[TM*ACC-1:0]),
        .re(1'b1), .raddr(cot2), .rdata(bias));
    sram #(.BITS(TM*(MB+1)), .DEPTH(DEPTH)) u_m_pos (
        .clk(clk), .we(host_we[1]), .waddr(host_addr), .wdata(host_data[TM*(MB+1)-1:0]),
        .re(1'b1), .raddr(cot3), .rdata(m_pos));
    sram #(.BITS(TM*SB), .DEPTH(DEPTH)) u_shift (
        .clk(clk), .we(host_we[3]), .waddr(host_addr), .wdata(host_data[TM*SB-1:0]),
        .re(1'b1), .raddr(cot4), .rdata(shift));

    generate
        if (FOLD != 0) begin : g_folded
            sram #(.BITS(TM*(MB+1)), .DEPTH(DEPTH)) u_m_neg (
                .clk(clk), .we(host_we[2]), .waddr(host_addr), .wdata(host_data[TM*(MB+1)-1:0]),
                .re(1'b1), .raddr(cot3), .rdata(m_neg));
            assign alpha  = {TM*16{1'b0}};
            assign m2     = {TM*(MB+1){1'b0}};
            assign shift2 = {TM*SB{1'b0}};
        end else begin : g_unfolded
            sram #(.BITS(TM*16), .DEPTH(DEPTH)) u_alpha (
                .clk(clk), .we(host_we[4]), .waddr(host_addr), .wdata(host_data[TM*16-1:0]),
                .re(1'b1), .raddr(cot5), .rdata(alpha));
            sram #(.BITS(TM*(MB+1)), .DEPTH(DEPTH)) u_m2 (
                .clk(clk), .we(host_we[5]), .waddr(host_addr), .wdata(host_data[TM*(MB+1)-1:0]),
                .re(1'b1), .raddr(cot6), .rdata(m2));
            sram #(.BITS(TM*SB), .DEPTH(DEPTH)) u_shift2 (
                .clk(clk), .we(host_we[6]), .waddr(host_addr), .wdata(host_data[TM*SB-1:0]),
                .re(1'b1), .raddr(cot7), .rdata(shift2));
            assign m_neg = m_pos;
        end
    endgenerate
endmodule
